"""Engines in containers, each a machine of its own, and a registry beside them: a swarm of several nodes on one machine."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from docker_cli import LABEL, PROJECT_PREFIX, Container, docker, free_port, wait_until
from posture import ROWS, Sighting, has_health_check, look
from repository import ROOT, copy_of_git, ensure_image

MACHINE = "labs-test-machine"
PORT = 8000
# What stands for the file server of a real swarm: all machines have it.
SHARED = "/srv/shared"

# What a swarm keeps elsewhere than in a container's settings: its networks, its restarts, what the engine asks of all. And the
# proxy's port is open to other machines: that is what it is for.
ELSEWHERE = {"5.14", "5.15", "5.26", "5.30"}


@dataclass(frozen=True)
class Machine:
    """A container with an engine, which `docker()` here talks to through a socket."""

    container: Container
    socket: Path
    url: str

    @property
    def env(self) -> dict[str, str]:
        return {"DOCKER_HOST": f"unix://{self.socket}"}

    def docker(
        self, *args: str, check: bool = True, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return docker(*args, check=check, env={**self.env, **(env or {})})

    def answers(self) -> bool:
        return self.docker("info", check=False).returncode == 0

    def start_again(self) -> None:
        """After its container was killed: as a machine that is switched on again."""
        docker("start", self.container.id)
        self.container.wait_until(self.answers)

    def address(self) -> str:
        (network,) = self.container.inspect()["NetworkSettings"]["Networks"].values()
        return network["IPAddress"]

    def running(self, service: str = "") -> list[str]:
        """Ids of the containers that run here, of this service of a stack."""
        every = [
            json.loads(row)
            for row in self.docker("ps", "--no-trunc", "--format=json").stdout.splitlines()
        ]
        return [row["ID"] for row in every if f"_{service}." in row["Names"] or not service]

    def sightings(self) -> list[Sighting]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", self.env["DOCKER_HOST"])
            return [look(Container(id)) for id in self.running()]


@dataclass
class Network:
    """Machines on one network, where a registry answers as registry:5000, also for the images of Docker Hub."""

    folder: Path
    name: str
    stack: ExitStack
    registry: str = ""
    machines: list[Machine] = field(default_factory=list)

    def start_registry(self) -> None:
        """Start it; `registry` is where this machine pushes to."""
        options = ("--network-alias=registry", "--publish=127.0.0.1::5000")
        container = self._start(*options, ensure_image("registry:3"))
        self.registry = f"127.0.0.1:{container.host_port(5000)}"

    def push(self, image: str, name: str) -> None:
        """Give the registry an image of this machine's, under a name like `library/nginx:1.30`."""
        pushed = f"{self.registry}/{name}"
        docker("tag", image, pushed)
        try:
            wait_until(lambda: not docker("push", "--quiet", pushed, check=False).returncode)
        finally:
            docker("image", "rm", pushed)

    def start_machine(self, *options: str) -> Machine:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        port = free_port()
        volumes = (
            "--volume=/var/lib/docker",
            "--tmpfs=/run",
            f"--volume={folder}:/run/engine",
            f"--volume={self.name}:{SHARED}",
        )
        engine = (
            "dockerd", "--host=unix:///run/engine/docker.sock", f"--group={os.getgid()}",
            "--insecure-registry=registry:5000", "--registry-mirror=http://registry:5000", *options,
        )  # fmt: skip
        rights = ("--privileged", "--cgroupns=private", f"--publish=127.0.0.1:{port}:{PORT}")
        container = self._start(*rights, *volumes, MACHINE, *engine)
        machine = Machine(container, folder / "docker.sock", f"http://127.0.0.1:{port}")
        machine.container.wait_until(machine.answers, 180)
        machine.container.exec("chmod", "777", SHARED)
        self.machines.append(machine)
        return machine

    def make_swarm(self) -> None:
        """The first machine manages it, the others work."""
        first, *others = self.machines
        address = first.address()
        first.docker("swarm", "init", f"--advertise-addr={address}")
        token = first.docker("swarm", "join-token", "--quiet", "worker").stdout.strip()
        for machine in others:
            # Where it takes long, it goes on by itself.
            machine.docker("swarm", "join", f"--token={token}", f"{address}:2377", check=False)
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until the swarm has all machines."""
        ls = ("node", "ls", "--format={{.Status}}")
        wait_until(
            lambda: (
                self.machines[0].docker(*ls).stdout.split().count("Ready") == len(self.machines)
            ),
            180,
        )

    def clear(self) -> None:
        """Remove the machines of a first try."""
        for machine in self.machines:
            docker("rm", "--force", "--volumes", machine.container.id)
        self.machines.clear()

    def _start(self, *arguments: str) -> Container:
        """Run a container in the background, on this network; it goes when the network does."""
        run = ("run", "--detach", "--label", LABEL, "--network", self.name)
        id = docker(*run, *arguments).stdout.strip()
        self.stack.callback(docker, "rm", "--force", "--volumes", id, check=False)
        return Container(id)


@contextmanager
def network() -> Iterator[Network]:
    """An empty network; with it go the machines that were started on it."""
    docker(
        "build",
        "--quiet",
        "--tag",
        MACHINE,
        "--file",
        str(ROOT / "tests/machine.Dockerfile"),
        str(ROOT / "setup"),
    )
    name = f"{PROJECT_PREFIX}swarm"
    # Short, because a socket's path has to be.
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="labs-swarm-") as folder:
        docker("network", "create", "--label", LABEL, name)
        stack.callback(docker, "network", "rm", name)
        docker("volume", "create", "--label", LABEL, name)
        stack.callback(docker, "volume", "rm", name)
        yield Network(Path(folder), name, stack)


@dataclass(frozen=True)
class Lab:
    """A copy of a lab, whose production/swarm.sh talks to one machine's engine, or to the one here."""

    folder: Path
    project: str

    @classmethod
    def copy(cls, lab: str, to: Path) -> Lab:
        return cls(copy_of_git(lab, to), f"{PROJECT_PREFIX}{lab}")

    @property
    def stack(self) -> str:
        return f"{self.project}-swarm"

    def swarm(
        self, *command: str, machine: Machine | None = None, check: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run production/swarm.sh; AssertionError with all it printed when it fails and `check` is set."""
        env = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            "WAIT": "560",
            **(machine.env if machine else {}),
            **env,
        }
        done = subprocess.run(
            ["production/swarm.sh", *command],
            cwd=self.folder, env=env, capture_output=True, text=True, timeout=1500, check=False,
        )  # fmt: skip
        assert not (check and done.returncode), done.stdout + done.stderr
        return done


def broken_rows(network: Network) -> dict[str, set[str]]:
    """Return, by service, the rows of posture.py that a container of the stack breaks; AssertionError where a swarm's own are."""
    broken: dict[str, set[str]] = {}
    for machine in network.machines:
        for sighting in machine.sightings():
            service = sighting.record["Name"].split("_")[1].split(".")[0]
            rows = (
                row for row in ROWS if not row.exempt(sighting) and row.holds(sighting) is False
            )
            broken.setdefault(service, set()).update(
                row.number for row in rows if row.number not in ELSEWHERE
            )
            assert sighting.says(r"NoNewPrivs:\t1"), service
            # Without one, an update takes whatever has started for good.
            assert has_health_check(sighting), service
            assert "bridge" not in sighting.record["NetworkSettings"]["Networks"], service
            assert (service == "proxy") == bool(sighting.host("PortBindings"))
            # What a swarm drops when it is written as compose has it.
            assert sighting.says(r"tmpfs /tmp tmpfs rw\b.*"), service
            assert sighting.record["Config"]["Labels"]["com.docker.compose.project"] == "", service
    return broken


def on_failed_update(manager: Machine, stack: str) -> dict[str, str]:
    """Return what a swarm does with each service when its update fails. A job keeps Docker's own answer, pause."""
    names = manager.docker("stack", "services", "--format={{.Name}}", stack).stdout.split()
    form = "{{.Spec.Name}} {{with .Spec.UpdateConfig}}{{.FailureAction}}{{end}}"
    rows = manager.docker("service", "inspect", f"--format={form}", *names).stdout.splitlines()
    return dict(row.removeprefix(f"{stack}_").split(" ") for row in rows)
