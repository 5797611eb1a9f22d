"""A port that another program holds: `make` names the program; a default port gives way to the next free one."""

from __future__ import annotations

import os
import re
import socket
import subprocess

import httpx
import pytest
from claims import held_ports
from docker_cli import PROJECT_PREFIX, Compose, free_port
from repository import ROOT


@pytest.mark.parametrize(
    ("target", "variable"),
    [
        ("lab1-cluster", "DASHBOARD_PORT"),
        ("lab2", "PORT"),
        ("lab3", "PORT"),
        ("lab5", "PORT"),
        ("lab5", "MLFLOW_PORT"),
        ("course", "PORT"),
    ],
)
def test_a_taken_port_is_one_line_that_names_who_has_it(
    engine: None, target: str, variable: str
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        # The other port is chosen too: of a default one that another test has, make would speak first.
        chosen = {"PORT": str(free_port()), "MLFLOW_PORT": str(free_port()), variable: str(port)}
        env = {**chosen, "COMPOSE_PROJECT_NAME": f"{PROJECT_PREFIX}ports"}
        done = subprocess.run(
            ["make", "--no-print-directory", target],
            cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode != 0
    line, makes_own = done.stderr.splitlines()
    assert line.startswith(f"error: port {port} is taken by ")
    assert f"(pid {os.getpid()})" in line
    assert f"'{variable}=" in line
    assert f"make {target}'" in line
    assert makes_own.startswith("make: ")


def script(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    settings = {"COMPOSE_PROJECT_NAME": f"{PROJECT_PREFIX}ports", **env}
    return subprocess.run(
        ["setup/ports.sh", *arguments],
        cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=True,
    )  # fmt: skip


BOTH_OF_LAB_5 = ("mlflow-flask", "mlapp:5000:PORT", "mlflow:5000:MLFLOW_PORT")


def test_taken_default_ports_give_way_to_free_ones_and_say_so() -> None:
    with held_ports(5000, 5001):
        done = script("free", *BOTH_OF_LAB_5)
    ports = dict(re.findall(r"(\w+)=(\d+) ", done.stdout))
    assert sorted(ports) == ["MLFLOW_PORT", "PORT"]
    assert len({5000, 5001, 5002, *map(int, ports.values())}) == 5
    first, second = done.stderr.splitlines()
    assert re.fullmatch(r"port 5000 is taken by .+: mlflow-flask gets \d+", first)
    assert re.fullmatch(r"port 5001 is taken by .+: mlflow-flask gets \d+", second)


def test_a_port_that_was_chosen_is_never_replaced() -> None:
    with held_ports(5000, 5001):
        done = script("free", *BOTH_OF_LAB_5, PORT="5000", MLFLOW_PORT="5001")
    assert (done.stdout, done.stderr) == ("", "")


def test_make_prints_the_url_with_the_port_it_took_and_stays_there(engine: None) -> None:
    project = Compose(ROOT / "ml-prod-demo", project=f"{PROJECT_PREFIX}moved")
    env = {**os.environ, "COMPOSE_PROJECT_NAME": project.project}

    def lab3() -> tuple[str, str]:
        """The url that `make lab3` prints, and the container that answers there."""
        done = subprocess.run(
            ["make", "lab3"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (url,) = re.findall(r"^api: (http://127\.0\.0\.1:\d+)$", done.stdout, re.MULTILINE)
        return url, project.container("api").id

    try:
        with held_ports(8000):
            first = lab3()
            assert not first[0].endswith(":8000")
            assert httpx.get(f"{first[0]}/health").status_code == 200
        # Now 8000 is free, and the lab stays where its user has it open.
        assert lab3() == first
    finally:
        project.down()


def test_ports_are_looked_up_in_one_script() -> None:
    scripts = [path for path in (ROOT / "setup").rglob("*.sh") if "/dev/tcp/" in path.read_text()]
    assert [path.name for path in scripts] == ["ports.sh"]
