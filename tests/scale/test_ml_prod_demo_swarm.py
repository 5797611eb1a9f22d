"""Lab 3 on a swarm of three machines: updated, given a bad image, another secret and one machine less, under load."""

from __future__ import annotations

import asyncio
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker_cli import docker, wait_until
from iris_api import SETOSA
from iris_stack import off_loop
from load import Load
from swarm import SHARED, Lab, Machine, Network, broken_rows, on_failed_update

pytest_plugins = ["swarm_fixtures"]

# What a request may take while a machine goes away, in seconds. docs/scale.md says 5; here three machines share two cores.
LONGEST_WAIT = 10.0


class Iris:
    """The lab on the swarm: what was pushed and deployed, and what runs where."""

    def __init__(self, lab: Lab, network: Network) -> None:
        self.lab = lab
        self.network = network
        self.manager = network.machines[0]
        self.made = 0

    def deploy(self, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        models = {"MODELS_TYPE": "none", "MODELS_OPTIONS": "bind", "MODELS_DEVICE": SHARED}
        release = {"REGISTRY": "registry:5000", "TAG": "1"}
        return self.lab.swarm(
            "deploy", machine=self.manager, check=check, **release, **models, **env
        )

    def image(self, tag: str) -> str:
        return f"registry:5000/{self.lab.project}-api:{tag}"

    def release(self, tag: str, change: str, folder: Path) -> str:
        """Push the api's image with a line more in its Dockerfile; return its name in the swarm."""
        (folder / "Dockerfile").write_text(f"FROM {self.lab.project}-api\n{change}\n")
        docker("build", "--quiet", "--tag", f"{self.lab.project}-changed", str(folder))
        self.network.push(f"{self.lab.project}-changed", f"{self.lab.project}-api:{tag}")
        return self.image(tag)

    def apis(self) -> list[tuple[Machine, str]]:
        return [(machine, id) for machine in self.network.machines for id in machine.running("api")]

    def images_that_run(self) -> list[str]:
        return [
            machine.docker("inspect", "--format={{.Config.Image}}", id).stdout.strip()
            for machine, id in self.apis()
        ]

    def load(self) -> Load:
        return Load(f"{self.manager.url}/predict", SETOSA, workers=6)

    def rows(self) -> int:
        (db,) = self.manager.running("db")
        sql = ("psql", "-U", "app", "-d", "predictions", "-Atc", "SELECT count(*) FROM predictions")
        return int(self.manager.docker("exec", db, *sql).stdout)

    def logs(self) -> str:
        tasks = self.manager.docker("stack", "ps", "--no-trunc", self.lab.stack).stdout
        logs = self.manager.docker(
            "service", "logs", "--tail=30", f"{self.lab.stack}_api", check=False
        )
        return tasks + logs.stdout + logs.stderr

    def during(self, change: Callable[[], object]) -> Load:
        """Make a change under load; return that, once it has gone on for a while after the change."""

        async def scenario() -> Load:
            async with self.load() as load:
                await load.until_answered(100)
                await off_loop(change)
                await load.until_answered(100)
            return load

        before = self.rows()
        load = asyncio.run(scenario())
        self.made = before + load.ok
        return load

    def assert_all_recorded(self) -> None:
        wait_until(
            lambda: self.rows() == self.made,
            describe=lambda: f"{self.rows()} of {self.made}\n{self.logs()}",
        )


@pytest.fixture(scope="module")
def iris(iris_lab: Lab, machines: Network) -> Iterator[Iris]:
    """Deployed on three machines, as the page says: from one registry, the databases on the machine with their label."""
    machines.clear()
    iris_lab.swarm("push", REGISTRY=machines.registry, TAG="1")
    try:
        for _ in range(3):
            machines.start_machine("--no-new-privileges")
        machines.make_swarm()
        iris = Iris(iris_lab, machines)
        refused = iris.deploy(check=False)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
        assert "no node is the databases'" in refused.stderr
        node = iris.manager.docker("info", "--format={{.Swarm.NodeID}}").stdout.strip()
        iris.manager.docker("node", "update", "--label-add=databases=here", node)
        iris.deploy()
        yield iris
    finally:
        for name in ("api", "train", "recorder"):
            docker(
                "image",
                "rm",
                f"{machines.registry}/{iris_lab.project}-{name}:1",
                f"{iris_lab.project}-{name}",
                check=False,
            )
        docker("image", "rm", f"{iris_lab.project}-changed", check=False)


def test_the_posture_of_compose_is_that_of_the_swarm(iris: Iris) -> None:
    assert all(len(machine.running("proxy")) == 1 for machine in iris.network.machines), iris.logs()
    assert len(iris.apis()) == 3, iris.logs()
    services = ["api", "cache", "db", "proxy", "recorder"]
    assert broken_rows(iris.network) == {name: set() for name in services}
    expected = dict.fromkeys(services, "rollback") | {"train": "pause"}
    assert on_failed_update(iris.manager, iris.lab.stack) == expected


def test_an_update_under_load_fails_no_request_and_loses_no_record(
    iris: Iris, tmp_path: Path
) -> None:
    new = iris.release("2", "LABEL release=2", tmp_path)
    load = iris.during(lambda: iris.deploy(API_IMAGE=new))
    assert load.failed == {}, iris.logs()
    wait_until(lambda: iris.images_that_run() == [new] * 3, describe=iris.logs)
    iris.assert_all_recorded()


@pytest.mark.parametrize(
    ("tag", "change"),
    [
        ("ends", "ENV MODEL_PATH=/models/none.onnx"),
        ("unhealthy", 'HEALTHCHECK --interval=1s --retries=2 CMD ["false"]'),
    ],
)
def test_a_bad_image_rolls_back_by_itself_under_load(
    iris: Iris, tag: str, change: str, tmp_path: Path
) -> None:
    before = iris.images_that_run()
    bad = iris.release(tag, change, tmp_path)
    done: list[subprocess.CompletedProcess[str]] = []
    load = iris.during(lambda: done.append(iris.deploy(check=False, API_IMAGE=bad)))
    assert load.failed == {}, iris.logs()
    assert done[0].returncode == 2, done[0]
    assert done[0].stderr.splitlines()[-1] == (
        f"swarm: {iris.lab.stack}_api did not become healthy and was rolled back: what ran before still runs"
    )
    wait_until(lambda: sorted(iris.images_that_run()) == sorted(before), describe=iris.logs)
    iris.assert_all_recorded()


def test_what_cannot_be_deployed_is_refused_in_one_line(iris: Iris) -> None:
    before = iris.images_that_run()
    done = iris.deploy(check=False, API_IMAGE=iris.image("none"))
    assert (
        done.stderr
        == f"swarm: there is no image {iris.image('none')}, here or at its registry; nothing was deployed\n"
    )
    for command, says in (
        ("deploy", "manages no swarm"),
        ("down", "manages no swarm"),
        ("up", "in a swarm already"),
    ):
        done = iris.lab.swarm(command, machine=iris.network.machines[1], check=False)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert says in done.stderr
    secrets = iris.lab.folder / "production/.secrets"
    kept = secrets.rename(secrets.with_name("kept"))
    try:
        done = iris.deploy(check=False)
        assert not secrets.exists()
    finally:
        kept.rename(secrets)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "the stack has passwords that are not in production/.secrets" in done.stderr
    assert iris.images_that_run() == before


def test_a_secret_is_rotated_under_load(iris: Iris) -> None:
    def secrets() -> set[str]:
        return set(iris.manager.docker("secret", "ls", "--format={{.Name}}").stdout.split())

    before, running = secrets(), iris.images_that_run()[0]
    (iris.lab.folder / "production/.secrets/redis_password").write_text(uuid.uuid4().hex)
    load = iris.during(lambda: iris.deploy(API_IMAGE=running))
    assert load.failed == {}, iris.logs()
    wait_until(lambda: len(secrets()) == 2, describe=lambda: str(secrets()))
    assert len(before & secrets()) == 1
    # With the password that is gone, the api that is replaced cannot hand over what waits in it: the page says so.
    first = iris.rows()
    iris.during(lambda: None)
    wait_until(lambda: iris.rows() >= first + 200, describe=iris.logs)


def test_a_machine_that_dies_under_load_costs_seconds(iris: Iris) -> None:
    lost = next(machine for machine in iris.network.machines[1:] if machine.running("api"))

    def lose_it() -> None:
        lost.container.kill()
        # Three again, on two machines.
        iris.network.machines.remove(lost)
        wait_until(lambda: len(iris.apis()) == 3, 120, describe=iris.logs)

    load = iris.during(lose_it)
    assert load.failed == {}, iris.logs()
    assert load.slowest < LONGEST_WAIT
