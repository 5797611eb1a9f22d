"""The labs run again and again: twice in a row, after Ctrl-C in the middle, and when the disk was full."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest
from claims import DEFAULT_PORTS, claim
from docker_cli import PROJECT_LABEL, docker, wait_until
from leftovers import SHORT, assert_nothing_is_left
from newcomer import Newcomer
from privileges import AS_ROOT, need_root_on_linux
from repository import LABS, copy_of_git, target_of

ALL = [*sorted(map(target_of, LABS)), "down"]


@pytest.fixture
def owners(newcomer: Newcomer) -> Iterator[dict[str, Newcomer]]:
    """The newcomer as the owner of every lab's project, by the name of the lab."""
    owners = {lab: replace(newcomer, project=f"{newcomer.project}-{lab}") for lab in LABS}
    yield owners
    for owner in owners.values():
        owner.leave()


@pytest.fixture
def checkout(newcomer: Newcomer, owners: dict[str, Newcomer]) -> Iterator[Path]:
    """The newcomer's copy of the repository. The projects bear other names than those of a lab in use."""
    folder = newcomer.folder / "checkout"
    for name in ("Makefile", "setup", *LABS):
        copy_of_git(name, folder)
    for lab, owner in owners.items():
        (folder / lab / ".env").write_text(f"COMPOSE_PROJECT_NAME={owner.project}\n")
    newcomer.take(newcomer.folder)
    with claim(DEFAULT_PORTS):
        yield folder


@pytest.fixture
def make(newcomer: Newcomer, checkout: Path) -> Callable[..., subprocess.Popen]:
    """`make("lab1", "down")` starts that; what it prints is in `log_of(newcomer)`."""
    env = {**newcomer.env, **SHORT}
    del env["COMPOSE_PROJECT_NAME"]
    return lambda *targets, **more: newcomer.start(
        "make", *targets, folder=checkout, log=log_of(newcomer), env={**env, **more}
    )


def log_of(newcomer: Newcomer) -> Path:
    return newcomer.folder / "make.log"


def interrupt(process: subprocess.Popen, owner: Newcomer) -> None:
    """Press Ctrl-C as soon as a container of the lab runs."""
    said = log_of(owner).read_text
    label = f"label={PROJECT_LABEL}={owner.project}"
    runs = ["ps", "--quiet", "--filter", label]
    wait_until(lambda: docker(*runs).stdout or process.poll() is not None, 600, said, 0.02)
    assert process.poll() is None, f"it ended before it was interrupted\n{said()}"
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=120) != 0, said()


def test_labs_run_twice_in_a_row_after_each_was_interrupted(
    make: Callable[..., subprocess.Popen],
    checkout: Path,
    newcomer: Newcomer,
    owners: dict[str, Newcomer],
) -> None:
    for lab in LABS:
        interrupt(make(target_of(lab)), owners[lab])
    for _ in range(2):
        assert make(*ALL).wait(timeout=600) == 0, log_of(newcomer).read_text()
        for lab in LABS:
            assert_nothing_is_left(owners[lab], lab, set())
    assert [path for path in checkout.rglob("*") if not newcomer.owns(path)] == []


@contextmanager
def small_disk(folder: Path, kilobytes: int, owner: Newcomer) -> Iterator[None]:
    """Put a disk of that size where the folder is."""
    need_root_on_linux()
    options = f"size={kilobytes}k,uid={owner.uid},gid={owner.gid},mode=755"
    subprocess.run(
        [*AS_ROOT, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True
    )
    try:
        yield
    finally:
        subprocess.run([*AS_ROOT, "umount", str(folder)], check=True)


@pytest.mark.parametrize(
    ("job", "folder", "kilobytes", "kept"),
    [
        ("batch-job", "data", 12, ["raw.csv"]),
        ("gpu-train", "outputs", 100, []),
    ],
)
def test_a_full_disk_is_one_line_and_no_half_output(
    make: Callable[..., subprocess.Popen], checkout: Path, newcomer: Newcomer, job: str,
    folder: str, kilobytes: int, kept: list[str],
) -> None:  # fmt: skip
    outputs = checkout / job / folder
    with small_disk(outputs, kilobytes, newcomer):
        failed = make(target_of(job)).wait(timeout=120)
        said = log_of(newcomer).read_text()
        assert failed, said
        assert len(re.findall("^error: .*No space left", said, re.MULTILINE)) == 1, said
        assert "Traceback" not in said
        assert [path.name for path in outputs.iterdir()] == kept
    assert make(target_of(job)).wait(timeout=120) == 0, log_of(newcomer).read_text()


def test_a_full_disk_of_the_engine_is_one_line(
    make: Callable[..., subprocess.Popen], checkout: Path, newcomer: Newcomer
) -> None:
    """Its images stay where they are; the folder that the engine names is another one, on a small disk."""
    full = newcomer.folder / "full"
    full.mkdir()
    stub = newcomer.folder / "bin" / "docker"
    stub.parent.mkdir()
    stub.write_text(
        f'#!/bin/sh\ncase "$*" in *DockerRootDir*) echo {full} ;; *) exec {which("docker")} "$@" ;; esac\n'
    )
    stub.chmod(0o755)
    path = {"PATH": f"{stub.parent}:{os.environ['PATH']}"}
    with small_disk(full, 64, newcomer):
        assert make("lab1", **path).wait(timeout=120), log_of(newcomer).read_text()
        (said, _make_says) = log_of(newcomer).read_text().splitlines()
        assert said.startswith("error: only 0 MiB are free on the Docker engine's disk")
        make("doctor", **path).wait(timeout=120)
        assert "✗ disk        0 GiB free" in log_of(newcomer).read_text()
    assert list((checkout / "batch-job" / "data").glob("*.csv")) == []
