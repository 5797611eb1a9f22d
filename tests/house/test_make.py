"""The Makefile as a newcomer uses it, in a copy of the repository."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from docker_cli import PROJECT_PREFIX, docker, wait_until
from repository import LABS, ROOT, copy_of_git
from terminal import Terminal

PROJECT = f"{PROJECT_PREFIX}make"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@pytest.fixture
def checkout(engine: None, tmp_path: Path) -> Path:
    """A copy of the repository without anything that a run has made; lab 1 alone of the labs."""
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    for name in ("Makefile", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    copy_of_git("batch-job", tmp_path)
    return tmp_path


@pytest.fixture
def make(checkout: Path) -> Callable[..., str]:
    """`make("lab1", PLATFORM="linux/amd64")` returns what it printed."""

    def run(*targets: str, **env: str) -> str:
        done = subprocess.run(
            ["make", *targets],
            cwd=checkout,
            env={**os.environ, "COMPOSE_PROJECT_NAME": PROJECT, **env},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_make_lab1_ends_with_a_clean_csv_and_may_be_run_again(make, checkout: Path) -> None:
    first = make("lab1")
    clean = checkout / "batch-job" / "data" / "clean.csv"
    rows = clean.read_text()
    assert len(rows.splitlines()) == 1 + 95
    assert clean.stat().st_uid == os.getuid()
    assert "docker compose --project-directory batch-job run --rm --build job" in first
    make("lab1")
    assert clean.read_text() == rows


def test_platform_reaches_the_build_and_the_run(make) -> None:
    wanted = f"linux/{ARCHITECTURE[platform.machine()]}"
    assert f"DOCKER_DEFAULT_PLATFORM={wanted} docker compose" in make("lab1", PLATFORM=wanted)
    built = docker("image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", f"{PROJECT}-job")
    assert built.stdout.strip() == wanted


def test_a_lab_that_was_interrupted_runs_again(make, checkout: Path) -> None:
    make("lab1")
    raw = checkout / "batch-job" / "data" / "raw.csv"
    header, *rows = raw.read_text().splitlines(keepends=True)
    raw.write_text(header + "".join(rows) * 100_000)
    interrupted = Terminal(
        "make", "lab1", cwd=checkout, env={**os.environ, "COMPOSE_PROJECT_NAME": PROJECT}
    )
    part = raw.with_name(".clean.csv.part")
    wait_until(lambda: part.exists() and part.stat().st_size > 0, 60)
    interrupted.type("\x03")  # Ctrl-C
    assert interrupted.wait(timeout=60) != 0
    assert "stopped: the outputs are as they were" in interrupted.shown
    raw.write_text(header + "".join(rows))
    assert "clean                           95" in make("lab1")
    assert not part.exists()


def test_every_lab_has_a_target() -> None:
    printed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for number in range(1, len(LABS) + 1):
        assert f"\nmake lab{number} " in printed
