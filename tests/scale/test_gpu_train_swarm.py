"""Lab 4 on two machines of a swarm: the loss curve of one process, also when either machine dies on the way."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from docker_cli import wait_until
from gpu_train_runs import rows
from repository import ROOT
from swarm import SHARED, Machine, Network

pytest_plugins = ["gpu_train_fixtures", "swarm_fixtures"]

IMAGE = "registry:5000/gpu-train:1"
# Long enough for a machine to die in the middle.
EPOCHS = "80"


class Run:
    """One training in a folder of its own, as the head of stack.yaml starts it."""

    def __init__(self, network: Network, name: str) -> None:
        self.network = network
        self.manager = network.machines[0]
        # Another one at a second try: the first may have left its checkpoint.
        self.name = f"{name}-{uuid.uuid4().hex[:6]}"
        self.shared = f"{SHARED}/{self.name}"
        for folder in ("outputs", "data"):
            self.manager.container.exec("mkdir", "-p", "-m", "777", f"{self.shared}/{folder}")

    def deploy(self) -> None:
        """Start it on the two workers; the manager may stand in for one that dies."""
        self._availability("drain")
        settings = {"IMAGE": IMAGE, "SHARED": self.shared, "EPOCHS": EPOCHS, "CPUS": "1"}
        file = str(ROOT / "gpu-train/stack.yaml")
        deploy = ("stack", "deploy", "--resolve-image=never", f"--compose-file={file}", self.name)
        self.manager.docker(*deploy, env=settings)
        wait_until(lambda: self.has("checkpoint.pt"), 600, self.logs)
        self._availability("active")

    def _availability(self, value: str) -> None:
        node = self.manager.docker("info", "--format={{.Swarm.NodeID}}").stdout.strip()
        self.manager.docker("node", "update", f"--availability={value}", node)

    def has(self, file: str) -> bool:
        return (
            self.manager.container.exec(
                "test", "-e", f"{self.shared}/outputs/{file}", check=False
            ).returncode
            == 0
        )

    def metrics(self) -> dict:
        wait_until(lambda: self.has("metrics.json"), 900, self.logs)
        return json.loads(
            self.manager.container.exec("cat", f"{self.shared}/outputs/metrics.json").stdout
        )

    def trainer(self, service: str) -> tuple[Machine, str]:
        """Where it runs, and the id of its container."""
        ps = ("ps", "--quiet", f"--filter=name={self.name}_{service}.")
        (found,) = [
            (machine, id)
            for machine in self.network.machines
            for id in machine.docker(*ps).stdout.split()
        ]
        return found

    def printed(self) -> str:
        logs = [
            self.manager.docker("service", "logs", "--raw", f"{self.name}_node{n}", check=False)
            for n in (0, 1)
        ]
        return "".join(log.stdout + log.stderr for log in logs)

    def logs(self) -> str:
        return self.manager.docker("stack", "ps", "--no-trunc", self.name).stdout + self.printed()

    def remove(self) -> None:
        self.manager.docker("stack", "rm", self.name)


@pytest.fixture(scope="module")
def swarm(machines: Network, image: str) -> Network:
    machines.clear()
    machines.push(image, "gpu-train:1")
    for _ in range(3):
        machines.start_machine("--no-new-privileges")
    machines.make_swarm()
    return machines


@pytest.fixture
def run_of(swarm: Network) -> Iterator:
    runs: list[Run] = []

    def start(name: str) -> Run:
        runs.append(Run(swarm, name))
        runs[-1].deploy()
        return runs[-1]

    yield start
    for run in runs:
        run.remove()


@pytest.fixture(scope="module")
def alone(train, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """The epochs of one process."""
    return rows(train(tmp_path_factory.mktemp("alone"), EPOCHS=EPOCHS).stdout)


def test_two_machines_follow_the_loss_curve_of_one_process(run_of, alone: list[dict]) -> None:
    run = run_of("undisturbed")
    trainers = [run.trainer("node0"), run.trainer("node1")]
    assert trainers[0][0] is not trainers[1][0]
    for machine, id in trainers:
        retries = machine.docker("exec", id, "cat", "/proc/sys/net/ipv4/tcp_retries2").stdout
        assert retries == "6\n"
    for sighting in (one for machine in run.network.machines for one in machine.sightings()):
        assert sighting.says(r"NoNewPrivs:\t1")
        assert sighting.says(r"tmpfs /dev/shm tmpfs .*size=1048576k.*")
    assert run.metrics()["processes"] == 2
    together = rows(run.printed())
    assert len(together) == len(alone)
    for one, two in zip(alone, together, strict=True):
        assert abs(one["loss"] - two["loss"]) < 1e-4, (one, two)


@pytest.mark.parametrize("service", ["node1", "node0"])
def test_either_machine_may_die_and_the_run_goes_on(
    run_of, alone: list[dict], service: str
) -> None:
    run = run_of(f"without-{service}")
    lost, _ = run.trainer(service)
    lost.container.kill()
    try:
        assert abs(run.metrics()["loss"] - alone[-1]["loss"]) < 1e-4, run.logs()
        assert "resuming after step" in run.printed()
    finally:
        lost.start_again()
        run.network.wait_ready()
