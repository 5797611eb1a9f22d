"""What every container of a lab must be, read from `docker inspect` and from inside while it runs.

Rows carry their numbers in the CIS Docker Benchmark 1.6, sections 4 (images) and 5 (containers); those that
are not in it carry a dash. test_security.py makes docs/security.md of this table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from docker_cli import PROJECT_LABEL, Container, docker, wait_until

HOST_FOLDERS = (
    "/",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/sys",
    "/usr",
    "/var/run/docker.sock",
)

# Every image that a lab builds carries it, and none that comes from elsewhere.
BUILT_HERE = ("org.opencontainers.image.licenses", "MIT")


@dataclass(frozen=True)
class Sighting:
    """What was seen of one container. None stands for what nobody looked for.

    `record` is what `docker inspect` says, `inside` its /proc/1/status and /proc/1/mounts.
    """

    record: dict
    inside: str | None = None
    asked_uid: int | None = None
    leaks: tuple[str, ...] | None = None
    turned_unhealthy: bool | None = None

    def host(self, name: str) -> Any:
        return self.record["HostConfig"][name]

    @property
    def name(self) -> str:
        labels = self.record["Config"]["Labels"] or {}
        return labels.get("com.docker.compose.service", self.record["Name"])

    @property
    def user(self) -> str:
        return self.record["Config"]["User"]

    @property
    def built_here(self) -> bool:
        label, ours = BUILT_HERE
        return (self.record["Config"]["Labels"] or {}).get(label) == ours

    @property
    def mount_sources(self) -> set[str]:
        return {mount.get("Source", "") for mount in self.record["Mounts"]}

    @property
    def host_ips(self) -> set[str]:
        published = self.host("PortBindings") or {}
        return {binding["HostIp"] for bindings in published.values() for binding in bindings}

    @property
    def restarts(self) -> bool:
        return self.host("RestartPolicy")["Name"] not in {"", "no"}

    @property
    def stays_up(self) -> bool:
        """A service, unlike a job, which ends by itself."""
        return self.restarts or bool(self.host_ips)

    def says(self, pattern: str) -> bool:
        """Whether a line inside matches; true where nobody looked inside."""
        return self.inside is None or bool(re.search(f"^{pattern}$", self.inside, re.MULTILINE))


def applies(_: Sighting) -> str:
    return ""


def unless_a_job(seen: Sighting) -> str:
    return "" if seen.stays_up else "a job"


def unless_unpublished(seen: Sighting) -> str:
    return "" if seen.host_ips else "no port"


def unless_user_is_the_images(seen: Sighting) -> str:
    fixed = seen.asked_uid is not None and not seen.user.startswith(f"{seen.asked_uid}:")
    return unless_a_job(seen) or ("the image's own user" if fixed else "")


def has_health_check(seen: Sighting) -> bool:
    test = (seen.record["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
    return test[0] != "NONE"


def drops_capabilities(seen: Sighting) -> bool:
    # What a database image needs back belongs here, with the reason. None needs any: each starts as its own user.
    dropped = seen.host("CapDrop") == ["ALL"] and not seen.host("CapAdd")
    return dropped and all(seen.says(rf"Cap{kind}:\t0{{16}}") for kind in ("Eff", "Prm", "Bnd"))


def has_tag(seen: Sighting) -> bool:
    image = seen.record["Config"]["Image"]
    return seen.built_here or bool(re.search(r":(?!latest$)[\w.-]+$", image))


@dataclass(frozen=True)
class Row:
    """One requirement: its number and title, whether a container meets it, and why it may not apply.

    `holds` gives None when nobody looked, `exempt` the reason or an empty text.
    """

    number: str
    title: str
    holds: Callable[[Sighting], bool | None]
    exempt: Callable[[Sighting], str] = applies


ROWS = [
    Row(
        "4.1",
        "numeric user, not root",
        lambda s: bool(re.match(r"[1-9]\d*", s.user)) and s.says(r"Uid:\t[1-9]\d*\t.*"),
    ),
    Row(
        "-",
        "healthy under a random uid",
        lambda s: None if s.asked_uid is None else True,
        unless_user_is_the_images,
    ),
    Row("-", "image with a tag, never `latest`", has_tag),
    Row("4.6", "health check", has_health_check, unless_a_job),
    Row(
        "4.10",
        "no secret in the image, its history or the environment",
        lambda s: None if s.leaks is None else not s.leaks,
    ),
    Row("5.4", "all capabilities dropped, none added", drops_capabilities),
    Row("5.5", "not privileged", lambda s: s.host("Privileged") is False),
    Row(
        "5.6",
        "no system folder of the host mounted",
        lambda s: not s.mount_sources & set(HOST_FOLDERS),
    ),
    Row("5.10", "not on the host's network", lambda s: s.host("NetworkMode") != "host"),
    Row("5.11", "memory limit", lambda s: s.host("Memory") > 0),
    Row("5.12", "cpu limit", lambda s: s.host("NanoCpus") > 0),
    Row(
        "5.13",
        "read-only root filesystem",
        lambda s: s.host("ReadonlyRootfs") is True and s.says(r"\S+ / \S+ ro\b.*"),
    ),
    Row(
        "5.14",
        "ports published on loopback",
        lambda s: s.host_ips <= {"127.0.0.1"},
        unless_unpublished,
    ),
    Row("5.15", "started again when it ends", lambda s: s.restarts, unless_a_job),
    Row("5.16", "not in the host's process namespace", lambda s: s.host("PidMode") != "host"),
    Row("5.17", "not in the host's ipc namespace", lambda s: s.host("IpcMode") != "host"),
    Row("5.18", "no device of the host", lambda s: not s.host("Devices")),
    Row(
        "5.20",
        "no mount shared with the host",
        lambda s: not any("shared" in mount["Propagation"] for mount in s.record["Mounts"]),
    ),
    Row("5.21", "not in the host's uts namespace", lambda s: s.host("UTSMode") != "host"),
    Row(
        "5.22",
        "seccomp profile on",
        lambda s: (
            "seccomp=unconfined" not in (s.host("SecurityOpt") or []) and s.says(r"Seccomp:\t2")
        ),
    ),
    Row(
        "5.26",
        "no new privileges",
        lambda s: (
            "no-new-privileges:true" in (s.host("SecurityOpt") or []) and s.says(r"NoNewPrivs:\t1")
        ),
    ),
    Row(
        "5.27",
        "health check turns unhealthy when the service hangs",
        lambda s: s.turned_unhealthy,
        unless_a_job,
    ),
    Row("5.29", "process limit", lambda s: (s.host("PidsLimit") or 0) > 0),
    Row(
        "5.30",
        "not on Docker's default bridge",
        lambda s: s.host("NetworkMode") not in {"default", "bridge"},
    ),
    Row("5.31", "not in the host's user namespace", lambda s: s.host("UsernsMode") != "host"),
    Row(
        "5.32",
        "no docker socket",
        lambda s: not any("docker.sock" in source for source in s.mount_sources),
    ),
    Row(
        "-",
        "logs are rotated",
        lambda s: "max-size" in (s.host("LogConfig").get("Config") or {}),
    ),
]


def look(container: Container) -> Sighting:
    """Return what a container is, from inside as well while it runs."""
    record = container.inspect()
    if not record["State"]["Running"]:
        return Sighting(record)
    # On a busy machine `docker exec` may lose what a short command printed.
    inside = wait_until(
        lambda: container.exec("cat", "/proc/1/status", "/proc/1/mounts").stdout, 10, container.logs
    )
    return Sighting(record, str(inside))


def violations(seen: Sighting) -> list[str]:
    """Return the rows that a container breaks, as "api: 5.13 read-only root filesystem"."""
    return [
        f"{seen.name}: {row.number} {row.title}"
        for row in ROWS
        if not row.exempt(seen) and row.holds(seen) is False
    ]


def violations_of_project(project: str) -> list[str]:
    """Return what the containers of a compose project break."""
    label = f"label={PROJECT_LABEL}={project}"
    ids = docker("ps", "--all", "--quiet", "--filter", label).stdout.split()
    return [row for id in ids for row in violations(look(Container(id)))]


def assert_posture(container: Container) -> None:
    """Raise AssertionError that lists every row this container breaks."""
    assert violations(look(container)) == []
