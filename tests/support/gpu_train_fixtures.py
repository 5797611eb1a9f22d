"""Fixtures of lab 4, for the test files that name this module in `pytest_plugins`.

They are of the session, because a run to the end takes seconds and nobody changes what it left.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from docker_cli import docker
from gpu_train_runs import Finished, options


@pytest.fixture(scope="session")
def image(image_of: Callable[..., str]) -> str:
    return image_of("gpu-train", target="cpu")


@pytest.fixture(scope="session")
def train(image: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`train(folder, EPOCHS="2")` runs one training to its end: exit code, stdout, stderr."""

    def start(
        folder: Path, *more: str, check: bool = True, uid: int | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        done = docker(
            "run", "--rm", *options(folder, env, *more, uid=uid), image, check=False, timeout=300
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    return start


@pytest.fixture(scope="session")
def inside(image: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """`inside("program.py", *arguments)` runs a program of tests/inside in the image; returns what it printed."""

    def start(program: str, *arguments: str, folder: Path | None = None, **env: str) -> str:
        where = folder or tmp_path_factory.mktemp("inside")
        command = ["python", f"/inside/{program}", *arguments]
        return docker("run", "--rm", *options(where, env), image, *command).stdout

    return start


@pytest.fixture(scope="session")
def default(train, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The run with nothing set."""
    folder = tmp_path_factory.mktemp("default")
    done = train(folder)
    return Finished(folder, done.stdout, done.stderr)
