"""A test run that was killed leaves nothing behind: the next one sweeps up what carries its marks."""

from __future__ import annotations

import subprocess
import sys

from conftest import ROOT
from docker_cli import LABEL, PROJECT_LABEL, PROJECT_PREFIX, docker, sweep

KILLED_RUN = f"""
import signal
from docker_cli import LABEL, docker
project = "--label={PROJECT_LABEL}={PROJECT_PREFIX}killed"
docker("run", "--detach", "--label", LABEL, "python:3.13-slim", "sleep", "600")
docker("run", "--detach", project, "python:3.13-slim", "sleep", "600")
docker("network", "create", project, "{PROJECT_PREFIX}killed")
docker("volume", "create", project, "{PROJECT_PREFIX}killed")
print("up", flush=True)
signal.pause()
"""


def left_behind() -> dict[str, list[str]]:
    marks = (LABEL, f"{PROJECT_LABEL}={PROJECT_PREFIX}killed")
    return {
        f"{kind} {mark}": docker(
            *kind.split(), "--quiet", "--filter", f"label={mark}"
        ).stdout.split()
        for kind in ("container ls --all", "network ls", "volume ls")
        for mark in marks
    }


def test_what_a_killed_run_left_is_removed(engine: None) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED_RUN], cwd=ROOT / "tests", stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "up\n"
    run.kill()
    run.wait(timeout=10)
    assert sum(map(len, left_behind().values())) == 4
    sweep()
    assert not any(left_behind().values())
