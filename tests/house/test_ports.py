"""A port that another program holds: `make` names the program before anything is built, and no other script looks."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest
from docker_cli import PROJECT_PREFIX
from repository import ROOT


@pytest.mark.parametrize(
    ("target", "variable"),
    [("lab2", "PORT"), ("lab3", "PORT"), ("lab5", "PORT"), ("lab5", "MLFLOW_PORT")],
)
def test_a_taken_port_is_one_line_that_names_who_has_it(
    engine: None, target: str, variable: str
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        env = {variable: str(port), "COMPOSE_PROJECT_NAME": f"{PROJECT_PREFIX}ports"}
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


def test_ports_are_looked_up_in_one_script() -> None:
    scripts = [path for path in (ROOT / "setup").rglob("*.sh") if "/dev/tcp/" in path.read_text()]
    assert [path.name for path in scripts] == ["ports.sh"]
