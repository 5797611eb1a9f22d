"""A test run that was killed leaves nothing behind: the next one sweeps up what carries its marks."""

from __future__ import annotations

import subprocess
import sys

from docker_cli import PROJECT_LABEL, docker, sweep
from repository import ROOT


def left_behind(label: str, project: str) -> list[str]:
    return [
        id
        for kind in ("container ls --all", "network ls", "volume ls", "image ls")
        for mark in (label, f"{PROJECT_LABEL}={project}")
        for id in docker(*kind.split(), "--quiet", "--filter", f"label={mark}").stdout.split()
    ]


def test_what_a_killed_run_left_is_removed_and_a_running_one_is_let_be(engine: None) -> None:
    run = subprocess.Popen(
        [sys.executable, ROOT / "tests/support/killed_run.py"], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    marks = run.stdout.readline().split()
    sweep()
    assert len(left_behind(*marks)) == 5
    run.kill()
    run.wait(timeout=10)
    sweep()
    assert left_behind(*marks) == []
