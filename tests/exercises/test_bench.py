"""What stands behind the exercises, where it might take or keep what is not its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cli
import pytest
from docker_cli import PROJECT_LABEL, PROJECT_PREFIX, docker
from learn import exercise, progress
from learn.bench import CannotCheck, is_of_a_killed_check, sweep
from learn.exercise import copy_lab, load
from repository import copy_of_git


@pytest.fixture(scope="module")
def dead() -> int:
    """The id of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


@pytest.mark.parametrize("rest", ["", "-api-1", "_default", "_data"])
def test_what_a_killed_check_has_left_is_known_by_its_whole_name(dead: int, rest: str) -> None:
    assert is_of_a_killed_check(f"exercise-{dead}-0a1b2c{rest}")
    assert not is_of_a_killed_check(f"exercise-{os.getpid()}-0a1b2c{rest}")


@pytest.mark.parametrize("rest", ["", "-db-1", "_data", "-backup", "-0a1b2c3", "-0a1b2-db-1"])
def test_what_somebody_else_has_called_exercise_is_left_alone(dead: int, rest: str) -> None:
    assert not is_of_a_killed_check(f"exercise-{dead}{rest}")


def test_what_a_killed_check_named_in_its_compose_file_goes_too(engine: None, dead: int) -> None:
    mine, other = (f"{PROJECT_PREFIX}{name}" for name in ("mine", "other"))
    for name, project in ((mine, f"exercise-{dead}-0a1b2c"), (other, f"exercise-{dead}")):
        docker("volume", "create", "--label", f"{PROJECT_LABEL}={project}", name)
    try:
        sweep(is_of_a_killed_check)
        there = docker("volume", "ls", "--quiet").stdout.split()
        assert (mine in there, other in there) == (False, True)
    finally:
        docker("volume", "rm", "--force", mine, other)


def test_two_checks_at_once_are_both_taken_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (progress, cli):
        monkeypatch.setattr(module, "WORK", tmp_path)

    def check_while_another_ends(*_: object) -> None:
        progress.read_progress().note(load("pins"), "")

    monkeypatch.setattr(cli, "check", check_while_another_ends)
    monkeypatch.setattr(sys, "argv", ["cli.py", "check", "--ex", "run"])
    assert cli.main() == 0
    assert {id for id, record in progress.read_progress().records.items() if record.passed} == {
        "pins",
        "run",
    }


def test_a_lab_without_git_is_copied_as_git_would_hold_it(
    lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = copy_of_git(lab, tmp_path)
    shutil.rmtree(there / "wheels", ignore_errors=True)
    names = (
        "data/own.csv",
        "notebooks/a.csv",
        "outputs/checkpoint.pt",
        ".secrets/key",
        ".env",
        "a.py",
    )
    for name in names:
        (there / name).parent.mkdir(exist_ok=True)
        (there / name).write_text("")
    for command in ("init", "--quiet"), ("add", "--all"):
        subprocess.run(["git", *command], cwd=there, check=True)
    listed = subprocess.run(
        ["git", "ls-files"], cwd=there, capture_output=True, text=True, check=True
    )
    shutil.rmtree(there / ".git")

    def has_no_git(*_: str, **__: object) -> None:
        raise CannotCheck("this machine has no command 'git'")

    monkeypatch.setattr(exercise, "ROOT", tmp_path)
    monkeypatch.setattr(exercise, "run_command", has_no_git)
    copy = tmp_path / "copy"
    copy_lab(lab, copy)
    copied = (str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file())
    assert sorted(copied) == sorted(listed.stdout.splitlines())
