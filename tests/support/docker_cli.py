"""The docker command line as the tests use it: what is started bears the mark of its process, and is swept up by it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import socket
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# Both name the process that the container, network or volume is for.
LABEL = f"labs.test={os.getpid()}"
PROJECT_PREFIX = f"labtest-{os.getpid()}-"
PROJECT_LABEL = "com.docker.compose.project"
MARK = re.compile(rf"\b(?:labs\.test=|{PROJECT_LABEL}=labtest-)(\d+)")


def docker(
    *args: str,
    check: bool = True,
    timeout: float = 600,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `docker ARGS` and return it with stdout and stderr as text.

    Raises AssertionError with all that was printed when `check` is set and the command fails.
    """
    done = subprocess.run(
        ["docker", *args],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(
            f"docker {' '.join(args)}\nexit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    return done


def megabytes_of(image: str) -> float:
    """Return the size of an image's files. `docker inspect` tells that with one of the engine's image stores alone."""
    look = ("--rm", "--label", LABEL, "--network=none", "--user=0", "--entrypoint=du")
    return int(docker("run", *look, image, "-xbs", "/").stdout.split()[0]) / 1e6


def wait_until(
    predicate: Callable[[], T],
    timeout: float = 60,
    describe: Callable[[], str] = lambda: "",
    interval: float = 0.1,
) -> T:
    """Poll `predicate` until it is truthy and return its value; `timeout` and `interval` are in seconds.

    What takes long is asked for up to four times less often: a question to Docker costs as much as a start of Python.

    Raises AssertionError with `describe()` (a container's log, say) when the deadline passes.
    """
    deadline = time.monotonic() + timeout
    pause = interval
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {timeout} s\n{describe()}")
        time.sleep(pause)
        pause = min(pause * 1.1, 4 * interval)
    return value


def free_port() -> int:
    """Return a TCP port on loopback that nothing listens on."""
    while True:
        # Below those that a client gets: of these one is free now and taken a moment later.
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True)
class Container:
    """A container by its id. It may have ended; it is there until the test is over."""

    id: str

    def inspect(self) -> dict:
        return json.loads(docker("inspect", self.id).stdout)[0]

    def logs(self) -> str:
        done = docker("logs", self.id, check=False)
        return done.stdout + done.stderr

    def is_running(self) -> bool:
        return self.inspect()["State"]["Running"]

    def health(self) -> str:
        return self.inspect()["State"].get("Health", {}).get("Status", "none")

    def exec(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return docker("exec", self.id, *command, check=check)

    def host_port(self, port: int) -> int:
        """Return the port on the host that the container's TCP `port` is published at."""
        return int(docker("port", self.id, f"{port}/tcp").stdout.split()[0].rsplit(":", 1)[1])

    def kill(self, signal: str = "KILL") -> None:
        docker("kill", "--signal", signal, self.id)

    def wait(self, timeout: float = 60) -> int:
        """Return the exit code once it has ended."""
        self.wait_until(lambda: not self.is_running(), timeout)
        return self.inspect()["State"]["ExitCode"]

    def wait_until(self, predicate: Callable[[], T], timeout: float = 60) -> T:
        """Poll `predicate`; a failure carries the container's log."""
        return wait_until(predicate, timeout, describe=self.logs)

    def wait_healthy(self, timeout: float = 60) -> None:
        self.wait_until(lambda: self.health() == "healthy", timeout)


@dataclass
class Compose:
    """One compose project of a lab folder, under a name of its own so that several can run at once."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    project: str = field(default_factory=lambda: PROJECT_PREFIX + uuid.uuid4().hex[:8])

    def __call__(
        self, *args: str, check: bool = True, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run `docker compose ARGS` on the project."""
        command = ["compose", "--project-directory", str(self.folder), "-p", self.project, *args]
        return docker(*command, check=check, timeout=timeout, env=self.env, cwd=self.folder)

    def up(self, *args: str, timeout: float = 600) -> None:
        """Start in the background and wait for health; a failure carries the services' logs."""
        done = self("up", "--detach", "--wait", *args, check=False, timeout=timeout)
        if done.returncode:
            raise AssertionError(f"compose up failed\n{done.stderr}\n{self.logs()}")

    def logs(self) -> str:
        return self("logs", "--no-color", check=False).stdout

    def containers(self, service: str) -> list[Container]:
        ids = self("ps", "--all", "--quiet", "--orphans=false", service).stdout.split()
        return [Container(id) for id in ids]

    def all_containers(self) -> list[Container]:
        return [Container(id) for id in self("ps", "--all", "--quiet").stdout.split()]

    def container(self, service: str) -> Container:
        (only,) = self.containers(service)
        return only

    def down(self) -> None:
        """Stop and remove everything of the project, its volumes and images too."""
        self(
            "--profile", "*", "down", "--volumes", "--remove-orphans", "--rmi=local", "--timeout=5"
        )


# How `docker KIND rm` removes it, in this order. With a container go the volumes that have no name.
REMOVAL = {
    "container": ["--force", "--volumes"],
    "network": [],
    "volume": ["--force"],
    "image": ["--force"],  # also one that has another name, at a registry
}


def sweep() -> None:
    """Remove every container, network, volume and image of this process, and of those that ended without doing so."""
    for kind, options in REMOVAL.items():
        marked = [(row.split()[0], MARK.search(row)) for row in labels_of(kind)]
        if doomed := [id for id, mark in marked if mark and not is_another(int(mark[1]))]:
            docker(kind, "rm", *options, *doomed, check=False)


def labels_of(kind: str) -> list[str]:
    """Rows of an id and labels: of every container, network or volume, or of the images that compose built."""
    if kind == "image":
        built = images_of_compose()
        row = "{{.Id}}{{range $name, $value := .Config.Labels}} {{$name}}={{$value}}{{end}}"
        # Of those gone by now the others are told all the same.
        listed = docker("image", "inspect", "--format", row, *built, check=False)
    else:
        every = ["--all"] if kind == "container" else []
        id = "{{.Name}}" if kind == "volume" else "{{.ID}}"
        listed = docker(kind, "ls", *every, "--format", f"{id} {{{{.Labels}}}}")
    return listed.stdout.splitlines()


def images_of_compose(project: str = "") -> list[str]:
    """Ids of the images that compose built: for this project, or for any."""
    label = f"label={PROJECT_LABEL}" + (f"={project}" if project else "")
    return docker("image", "ls", "--quiet", "--no-trunc", "--filter", label).stdout.split()


def is_another(process: int) -> bool:
    """Whether a process with this id runs, other than this one."""
    try:
        # Signal 0 reaches nobody; it fails where there is nobody to reach.
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()
