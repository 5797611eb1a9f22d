"""Lab 5 on a swarm of three machines: trained, its champion moved and a bad key deployed, under load."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator

import httpx
import pytest
from churn import CUSTOMER
from docker_cli import docker, wait_until
from iris_stack import off_loop
from load import Load
from swarm import Lab, Machine, Network, broken_rows, on_failed_update

pytest_plugins = ["swarm_fixtures"]

IMAGES = ("mlapp", "mlflow", "train", "store")
# As its machine publishes it to this one; and where that machine itself is asked.
PORT, MLFLOW_PORT = "8000", "5001"


class Churn:
    """The lab on the swarm: what was pushed and deployed, and what runs where."""

    def __init__(self, lab: Lab, network: Network) -> None:
        self.lab = lab
        self.network = network
        self.manager = network.machines[0]

    def deploy(self, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        release = {"REGISTRY": "registry:5000", "TAG": "1"}
        ports = {"PORT": PORT, "MLFLOW_PORT": MLFLOW_PORT}
        return self.lab.swarm(
            "deploy", machine=self.manager, check=check, **release, **ports, **env
        )

    def running(self, service: str) -> list[tuple[Machine, str]]:
        return [(on, id) for on in self.network.machines for id in on.running(service)]

    def healthy(self, service: str) -> list[tuple[Machine, str]]:
        up = ("ps", "--quiet", "--no-trunc", "--filter=health=healthy")
        return [(on, id) for on, id in self.running(service) if id in on.docker(*up).stdout]

    @property
    def login(self) -> tuple[str, str]:
        written = (self.lab.folder / "production/.secrets/mlflow_login").read_text()
        user, password = written.strip().split(":{PLAIN}")
        return user, password

    @property
    def mlflow(self) -> str:
        return f"http://{self.manager.address()}:{MLFLOW_PORT}/api/2.0/mlflow/registered-models"

    def set_champion(self, version: int) -> None:
        body = {"name": "churn", "alias": "champion", "version": str(version)}
        url, host = f"{self.mlflow}/alias", {"Host": "localhost"}  # it knows no other of its names
        answer = httpx.post(url, json=body, auth=self.login, headers=host, timeout=30)
        assert answer.status_code == 200, answer.text
        assert httpx.post(url, json=body, auth=self.login, timeout=30).status_code == 403

    def served(self) -> set[tuple[str | None, int | None]]:
        """What answers, by each mlapp: where its model is from, and the version in the registry."""
        ready = "urlopen('http://127.0.0.1:5000/ready').read().decode()"
        ask = ("python", "-c", f"from urllib.request import urlopen; print({ready})")
        found = set()
        for machine, id in self.running("mlapp"):
            said = machine.docker("exec", id, *ask, check=False).stdout
            model = json.loads(said)["model"] if said else {}
            found.add((model.get("source"), model.get("registry_version")))
        return found

    def wait_served(self, version: int) -> None:
        wait_until(
            lambda: self.served() == {("registry", version)},
            120,
            lambda: f"{self.served()}\n{self.logs()}",
        )

    def move_champion_there_and_back(self) -> None:
        for version in (1, 2):
            self.set_champion(version)
            self.wait_served(version)

    def logs(self) -> str:
        told = [self.manager.docker("stack", "ps", "--no-trunc", self.lab.stack).stdout]
        for service in ("mlapp", "mlflow", "train", "proxy"):
            logs = self.manager.docker(
                "service", "logs", "--tail=30", f"{self.lab.stack}_{service}", check=False
            )
            told += [logs.stdout, logs.stderr]
        return "\n".join(told)

    def during(self, change: Callable[[], object]) -> Load:
        """Make a change under load; return that, once it has gone on for a while after the change."""

        async def scenario() -> Load:
            async with Load(f"{self.manager.url}/predict", CUSTOMER, workers=6) as load:
                await load.until_answered(100)
                await off_loop(change)
                await load.until_answered(100)
            return load

        return asyncio.run(scenario())


@pytest.fixture(scope="module")
def churn(churn_lab: Lab, machines: Network) -> Iterator[Churn]:
    """Deployed on three machines from one registry, what keeps data on the machine with the label; trained once."""
    machines.clear()
    churn_lab.swarm("push", REGISTRY=machines.registry, TAG="1")
    try:
        for _ in range(3):
            machines.start_machine("--no-new-privileges")
        machines.make_swarm()
        churn = Churn(churn_lab, machines)
        node = churn.manager.docker("info", "--format={{.Swarm.NodeID}}").stdout.strip()
        churn.manager.docker("node", "update", "--label-add=databases=here", node)
        churn.deploy()
        churn.wait_served(2)
        yield churn
    finally:
        for name in IMAGES:
            image = f"{churn_lab.project}-{name}"
            docker("image", "rm", f"{machines.registry}/{image}:1", image, check=False)


def test_the_posture_of_compose_is_that_of_the_swarm(churn: Churn) -> None:
    assert all(len(machine.running("proxy")) == 1 for machine in churn.network.machines)
    assert len(churn.running("mlapp")) == 3, churn.logs()
    services = ["db", "mlapp", "mlflow", "proxy", "store"]
    assert broken_rows(churn.network) == {name: set() for name in services}
    expected = dict.fromkeys(services, "rollback") | {"train": "pause"}
    assert on_failed_update(churn.manager, churn.lab.stack) == expected
    assert len(churn.running("mlflow")) == 2


def test_the_champion_moves_under_load_and_no_request_fails(churn: Churn) -> None:
    load = churn.during(churn.move_champion_there_and_back)
    assert load.failed == {}, churn.logs()
    assert {answer["model"]["version"] for answer in load.answers} == {"v1", "v2"}


def test_nobody_without_the_password_moves_the_champion(churn: Churn) -> None:
    for auth in (None, ("mlflow", "guess")):
        assert httpx.get(churn.mlflow, auth=auth, timeout=30).status_code == 401


def test_an_mlflow_that_dies_is_not_missed(churn: Churn) -> None:
    wait_until(lambda: len(churn.healthy("mlflow")) == 2, 240, churn.logs)
    machine, id = churn.healthy("mlflow")[0]

    def kill_it() -> None:
        machine.docker("kill", id)
        churn.move_champion_there_and_back()

    load = churn.during(kill_it)
    assert load.failed == {}, churn.logs()
    assert {answer["model"]["source"] for answer in load.answers} == {"registry"}


def test_a_bad_key_rolls_back_by_itself_under_load(churn: Churn) -> None:
    key = churn.lab.folder / "production/store/.secrets/s3_credentials"
    good = key.read_text()
    key.write_text("[default]\naws_access_key_id = labs\naws_secret_access_key = guess\n")
    done: list[subprocess.CompletedProcess[str]] = []
    try:
        load = churn.during(lambda: done.append(churn.deploy(check=False)))
    finally:
        key.write_text(good)
    assert load.failed == {}, churn.logs()
    assert done[0].returncode == 2, done[0]
    assert done[0].stderr.splitlines()[-1] == (
        f"swarm: {churn.lab.stack}_mlflow did not become healthy and was rolled back: what ran before still runs"
    )
    wait_until(lambda: len(churn.healthy("mlflow")) == 2, 240, churn.logs)
    churn.wait_served(2)


def test_a_deploy_that_trains_again_replaces_the_champion_under_load(churn: Churn) -> None:
    ((_, before),) = churn.served()
    assert before

    def train_again() -> None:
        churn.deploy(TRAIN="1")
        churn.wait_served(before + 2)  # a training registers two models, the better one last

    load = churn.during(train_again)
    assert load.failed == {}, churn.logs()
