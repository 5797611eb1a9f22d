"""Every container of a lab as it is while it runs: all services of all its stacks, of a copy of its folder.

A service is up and healthy, then hangs, to see its health check notice. A job ends before one could look inside:
its container is held with `sleep` in place of its work.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import leaks
import yaml
from compose_files import BESIDE
from docker_cli import Compose, Container, docker, free_port, wait_until
from inside import program
from posture import Sighting, look

QUICK_CHECKS = "compose.quick-checks.yaml"
# Sooner than the labs' own settings, which forgive three failures in half a minute. One is forgiven: the machine is busy.
QUICK = {"interval": "1s", "timeout": "2s", "retries": 2}


@dataclass(frozen=True)
class Lab:
    """What was seen of a lab: its containers, some more than once, what they logged, the compose files in use."""

    sightings: list[Sighting]
    logs: str
    files: set[str]


@dataclass(frozen=True)
class Stack:
    """The services that compose files start, with a profile (an empty name: those without one)."""

    folder: Path
    files: tuple[str, ...]
    profile: str
    uid: int

    def project(self) -> Compose:
        text = "".join((self.folder / file).read_text() for file in self.files)
        ports = {name: str(free_port()) for name in re.findall(r"\$\{(\w*PORT)\b", text)}
        owner = {"HOST_UID": str(self.uid), "HOST_GID": str(self.uid)}
        settings = {"COMPOSE_FILE": ":".join(self.files), "COMPOSE_PROFILES": self.profile}
        return Compose(self.folder, {**owner, **ports, **settings})


def stacks_of(folder: Path, uid: int) -> Iterator[Stack]:
    """Yield all that can be started: compose.yaml with each profile, and with each file of production/ or cluster/."""
    alone = Stack(folder, ("compose.yaml",), "", uid)
    yield alone
    for profile in sorted(alone.project()("config", "--profiles").stdout.split()):
        yield replace(alone, profile=profile)
    for name in BESIDE:
        for file in sorted(set(folder.glob(f"{name}/*.yaml")) - {folder / name / "stack.yaml"}):
            yield replace(alone, files=(*alone.files, str(file.relative_to(folder))))


def services_of(project: Compose) -> dict[str, dict]:
    return json.loads(project("config", "--format", "json").stdout)["services"]


def staying(services: dict[str, dict]) -> list[str]:
    """Return the services that are no jobs."""
    return [
        name
        for name, service in services.items()
        if service.get("restart", "no") != "no" or service.get("ports")
    ]


def make_secrets(project: Compose) -> list[str]:
    """Write every file that the services take a secret from; return the secrets."""
    made = []
    listed = json.loads(project("--profile", "*", "config", "--format", "json").stdout)
    for secret in listed.get("secrets", {}).values():
        path = Path(secret["file"])
        made.append(secrets.token_hex(24))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[-1])
    return made


def give(folder: Path, uid: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, uid, uid)


def see(folder: Path, uid: int) -> Lab:
    """Bring up the lab that is in `folder` as user `uid`, stack by stack, and take it down again."""
    projects = [stack.project() for stack in stacks_of(folder, uid)]
    made = [secret for project in projects for secret in make_secrets(project)]
    if os.getuid() == 0:
        give(folder, uid)
    seen: list[Sighting] = []
    logs, files = "", set()
    for project in projects:
        files.update(project.env["COMPOSE_FILE"].split(":"))
        try:
            new = see_project(project, {sighting.name for sighting in seen})
            # Now: with the project go its images.
            seen += [replace(s, asked_uid=uid, leaks=leaks_of(s, made)) for s in new]
            logs += project.logs()
        finally:
            # What hangs does not end when it is asked to.
            project("kill", check=False)
            project.down()
    return Lab(seen, logs, files)


def leaks_of(seen: Sighting, made: list[str]) -> tuple[str, ...]:
    image = seen.record["Image"]
    # No other image can have taken in what was made for this run.
    files = leaks.in_files(image, tuple(made)) if seen.built_here else []
    return (*leaks.in_record(seen.record, made), *leaks.in_history(image, made), *files)


def see_project(project: Compose, known: set[str]) -> list[Sighting]:
    """Look at what a stack adds to the `known` containers, and again at services that it changes."""
    services = services_of(project)
    jobs = [name for name in services if name not in known and name not in staying(services)]
    changes = ":" in project.env["COMPOSE_FILE"]
    up = [name for name in staying(services) if changes or name not in known]
    checks = {"services": {name: {"healthcheck": QUICK} for name in up}}
    (project.folder / QUICK_CHECKS).write_text(yaml.safe_dump(checks))
    project.env["COMPOSE_FILE"] += f":{QUICK_CHECKS}"
    held = [look_at_job(project, job) for job in jobs]
    if not up:
        return held
    project.up("--build", *up)
    return held + list(see_break(project, waves(services, up)))


def look_at_job(project: Compose, job: str) -> Sighting:
    run = ("run", "--build", "--detach", "--no-deps", "--entrypoint", "sleep")
    container = Container(project(*run, job, "infinity").stdout.split()[-1])
    seen = look(container)
    docker("rm", "--force", "--volumes", container.id)
    return seen


def waves(services: dict[str, dict], up: list[str]) -> list[list[str]]:
    """Order services for breaking: in front those that no other one waits for.

    Broken after what it depends on, a service would look unhealthy for that.
    """
    left, order = set(up), []
    while left:
        needed = {other for name in left for other in services[name].get("depends_on", {})}
        order.append(sorted(left - needed))
        left &= needed
    return order


def see_break(project: Compose, order: list[list[str]]) -> Iterator[Sighting]:
    for wave in order:
        containers = [container for name in wave for container in project.containers(name)]
        seen = [look(container) for container in containers]
        for container in containers:
            freeze(container)
        for container, sighting in zip(containers, seen, strict=True):
            yield replace(sighting, turned_unhealthy=turns_unhealthy(container))


def freeze(container: Container) -> None:
    """Stop every process, as a deadlock would. (`docker pause` would stop the health check as well.)"""
    # From inside it reaches all but the first one, which only the host can stop.
    container.exec("sh", "-c", program("stop_children.sh"), check=False)
    container.kill("STOP")


def turns_unhealthy(container: Container) -> bool:
    with contextlib.suppress(AssertionError):
        wait_until(lambda: container.health() == "unhealthy", timeout=60)
    return container.health() == "unhealthy"
