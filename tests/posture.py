"""What every container of a lab must be, read from `docker inspect` and from inside while it runs.

Rows carry their numbers in the CIS Docker Benchmark 1.6, sections 4 (images) and 5 (containers).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from docker_cli import PROJECT_LABEL, Container, docker

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


@dataclass(frozen=True)
class Row:
    """One requirement: its number and title, and whether a container (its inspect record) meets it."""

    number: str
    title: str
    holds: Callable[[dict], bool]


def mount_sources(record: dict) -> list[str]:
    return [mount.get("Source", "") for mount in record["Mounts"]]


def host_ips(record: dict) -> list[str]:
    published = record["HostConfig"]["PortBindings"] or {}
    return [binding["HostIp"] for bindings in published.values() for binding in bindings]


def is_service(record: dict) -> bool:
    """A container that is meant to stay up, unlike a job."""
    return record["HostConfig"]["RestartPolicy"]["Name"] not in {"", "no"}


def option(record: dict, name: str) -> object:
    return record["HostConfig"][name]


ROWS = [
    Row(
        "4.1", "numeric user, not root", lambda r: bool(re.match(r"[1-9]\d*", r["Config"]["User"]))
    ),
    Row(
        "4.6",
        "health check on what stays up",
        lambda r: not is_service(r) or bool(r["Config"].get("Healthcheck")),
    ),
    Row(
        "5.4",
        "all capabilities dropped, none added",
        lambda r: option(r, "CapDrop") == ["ALL"] and not option(r, "CapAdd"),
    ),
    Row("5.5", "not privileged", lambda r: option(r, "Privileged") is False),
    Row(
        "5.6",
        "no system folder of the host mounted",
        lambda r: not set(mount_sources(r)) & set(HOST_FOLDERS),
    ),
    Row("5.10", "not on the host's network", lambda r: option(r, "NetworkMode") != "host"),
    Row("5.11", "memory limit", lambda r: option(r, "Memory") > 0),
    Row("5.12", "cpu limit", lambda r: option(r, "NanoCpus") > 0),
    Row("5.13", "read-only root filesystem", lambda r: option(r, "ReadonlyRootfs") is True),
    Row("5.14", "ports published on loopback", lambda r: set(host_ips(r)) <= {"127.0.0.1"}),
    Row("5.16", "not in the host's process namespace", lambda r: option(r, "PidMode") != "host"),
    Row("5.17", "not in the host's ipc namespace", lambda r: option(r, "IpcMode") != "host"),
    Row("5.21", "not in the host's uts namespace", lambda r: option(r, "UTSMode") != "host"),
    Row(
        "5.22",
        "seccomp profile on",
        lambda r: "seccomp=unconfined" not in (option(r, "SecurityOpt") or []),
    ),
    Row(
        "5.26",
        "no new privileges",
        lambda r: "no-new-privileges:true" in (option(r, "SecurityOpt") or []),
    ),
    Row("5.29", "process limit", lambda r: (option(r, "PidsLimit") or 0) > 0),
    Row(
        "5.32",
        "no docker socket",
        lambda r: not any("docker.sock" in source for source in mount_sources(r)),
    ),
    Row(
        "log",
        "logs are rotated",
        lambda r: "max-size" in (option(r, "LogConfig").get("Config") or {}),
    ),
]

INSIDE = {
    "Uid": r"[1-9]\d*\t.*",
    "CapEff": "0{16}",
    "CapPrm": "0{16}",
    "NoNewPrivs": "1",
    "Seccomp": "2",
}


def violations(record: dict) -> list[str]:
    """Return the rows that a container's inspect record breaks, as "5.13 read-only root filesystem"."""
    return [f"{row.number} {row.title}" for row in ROWS if not row.holds(record)]


def violations_inside(container: Container) -> list[str]:
    """Return what the kernel says of the first process that it should not say."""
    status = dict(
        line.split(":\t", 1)
        for line in container.exec("cat", "/proc/1/status").stdout.splitlines()
        if ":\t" in line
    )
    return [
        f"/proc/1/status {key}: {status[key]}"
        for key, wanted in INSIDE.items()
        if not re.fullmatch(wanted, status[key])
    ]


def violations_of(container: Container) -> list[str]:
    """Return every row that a container breaks, with its name; from inside as well while it runs."""
    record = container.inspect()
    found = violations(record)
    if record["State"]["Running"]:
        found += violations_inside(container)
    return [f"{record['Name']}: {row}" for row in found]


def violations_of_project(project: str) -> list[str]:
    """Return what the containers of a compose project break."""
    label = f"label={PROJECT_LABEL}={project}"
    ids = docker("ps", "--all", "--quiet", "--filter", label).stdout.split()
    return [row for id in ids for row in violations_of(Container(id))]


def assert_posture(container: Container) -> None:
    """Raise AssertionError that lists every row this container breaks."""
    assert violations_of(container) == []
