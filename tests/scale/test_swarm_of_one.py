"""Labs 3 and 5 on a machine that becomes a swarm of one and stops being one: as their READMEs say, and closed to others."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from docker_cli import free_port, wait_until
from readme import IN_TEST_SCALE, read_steps, run_steps
from swarm import Lab, Machine, Network

pytest_plugins = ["swarm_fixtures"]

OPEN = "(exec 3<>/dev/tcp/$0/$1) 2>/dev/null"


@pytest.fixture(scope="module")
def machine(machines: Network) -> Machine:
    machines.clear()
    return machines.start_machine()


@pytest.fixture(scope="module", params=["iris_lab", "churn_lab"])
def each_lab(request: pytest.FixtureRequest) -> Lab:
    return request.getfixturevalue(request.param)


@pytest.fixture
def env(machine: Machine, each_lab: Lab) -> Iterator[dict[str, str]]:
    """Of somebody at that machine."""
    yield {**os.environ, **machine.env, "COMPOSE_PROJECT_NAME": each_lab.project}
    each_lab.swarm("down", machine=machine, check=False)


def left(machine: Machine) -> list[str]:
    kinds = (("ps", "--all"), ("volume", "ls"), ("network", "ls", "--filter=type=custom"))
    return [id for kind in kinds for id in machine.docker(*kind, "--quiet").stdout.split()]


def can_connect(machine: Machine, host: str, port: int) -> bool:
    return machine.container.exec("bash", "-c", OPEN, host, str(port), check=False).returncode == 0


def test_the_commands_of_the_readme_and_nothing_is_left(
    machine: Machine, each_lab: Lab, env: dict[str, str]
) -> None:
    steps = read_steps(each_lab.folder / "production/README.md")
    marked = [step for step in steps if step.not_run == IN_TEST_SCALE]
    assert len(marked) == 3
    if os.getuid():
        pytest.skip("needs root: it types the commands in the other machine's network")
    there = ("nsenter", f"--net=/proc/{machine.container.inspect()['State']['Pid']}/ns/net")
    run_steps(marked, each_lab.folder, env, timeout=900, inside=there)
    wait_until(lambda: left(machine) == [], describe=lambda: str(left(machine)))
    assert machine.docker("info", "--format={{.Swarm.LocalNodeState}}").stdout.strip() == "inactive"


def test_it_is_made_by_up_alone_and_open_to_nobody_else(
    machine: Machine, each_lab: Lab, env: dict[str, str]
) -> None:
    refused = each_lab.swarm("deploy", machine=machine, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    assert "manages no swarm" in refused.stderr
    port, other = free_port(), free_port()
    done = each_lab.swarm("up", machine=machine, PORT=str(port), MLFLOW_PORT=str(other))
    assert '"no-new-privileges": true' in done.stderr
    assert can_connect(machine, "127.0.0.1", port)
    for each in (port, other, 2377, 5000, 5432, 6379, 8000, 8333):
        assert not can_connect(machine, machine.address(), each), each
