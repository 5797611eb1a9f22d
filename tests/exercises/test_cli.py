"""The exercises as a learner meets them: `make learn`, `make check` and the rest, under a random uid."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker_cli import docker, wait_until
from newcomer import Newcomer
from repository import copy_of_git


@dataclass(frozen=True)
class Learner:
    """Somebody with a copy of the repository's exercises."""

    who: Newcomer

    @property
    def folder(self) -> Path:
        return self.who.folder

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def make(self, *arguments: str, code: int = 0, **env: str) -> str:
        """Return what `make ARGUMENTS` printed; `code` is the exit code that the program behind it has."""
        done = subprocess.run(
            ["make", *arguments], cwd=self.folder, env={**self.who.env, **env}, timeout=300,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **self.who.identity,
        )  # fmt: skip
        assert done.returncode == (2 if code else 0), done.stdout + done.stderr
        assert not code or f"Error {code}" in done.stderr, done.stderr
        wide = [line for line in done.stdout.splitlines() if len(line) > 80]
        assert wide == [] or "solution" in arguments
        return done.stdout

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self, command: str) -> subprocess.Popen:
        """Start a command of cli.py that does not end by itself; what it prints is in `log`."""
        program = ("python3", "exercises/cli.py", command)
        return self.who.start(*program, folder=self.folder, log=self.log, env=self.who.env)

    def write(self, id: str, variant: str) -> None:
        """Do what somebody does who has the idea of this variant."""
        source = self.folder / "exercises" / id / variant
        shutil.copytree(source, self.work / id, dirs_exist_ok=True)
        self.who.take(self.work)

    def progress(self) -> dict:
        return json.loads((self.work / "progress.json").read_text())


@pytest.fixture
def learner(newcomer: Newcomer) -> Iterator[Learner]:
    for part in ("Makefile", "setup", "exercises", "docs"):
        copy_of_git(part, newcomer.folder)
    newcomer.take(newcomer.folder)
    yield Learner(newcomer)


def leftovers(folder: Path) -> list[str]:
    """What checks have left, of this process's children or of anybody's that is dead."""
    names = docker("ps", "--all", "--format", "{{.Names}}", "--filter", "name=^exercise-").stdout
    alive = [name for name in names.split() if not Path(f"/proc/{name.split('-')[1]}").exists()]
    return alive + [path.name for path in folder.glob("work/exercise-*")]


def test_from_the_first_look_to_the_second_exercise(learner: Learner) -> None:
    shown = learner.make("learn")
    assert "0 of 35 passed. Now: run" in shown
    assert "Your files are in work/run/" in shown
    refused = learner.make("check", code=1)
    for line in ("  no  ", "did  ", "seen  ", "expected  ", "why  ", "read  "):
        assert line in refused
    learner.write("run", "solution")
    passed = learner.make("check")
    assert passed.count("  ok  ") == 4
    assert "Passed." in passed
    assert "1 of 35 passed. Now: first-image" in learner.make("learn")
    assert learner.progress()["run"]["checks"] == 2
    assert {path.stat().st_uid for path in learner.work.rglob("*")} == {learner.who.uid}
    assert leftovers(learner.folder) == []


def test_three_hints_one_after_the_other(learner: Learner) -> None:
    for number in (1, 2, 3, 3):
        printed = learner.make("hint")
        assert f"{number} of 3: " in printed
        assert f"{number + 1} of 3: " not in printed
    assert learner.progress()["run"]["hints"] == 3


def test_reset_moves_aside_and_never_deletes(learner: Learner) -> None:
    learner.make("learn")
    for content in ("first try\n", "second try\n"):
        (learner.work / "run" / "run.sh").write_text(content)
        learner.make("reset")
    assert (learner.work / "run.old" / "run.sh").read_text() == "first try\n"
    assert (learner.work / "run.2.old" / "run.sh").read_text() == "second try\n"
    start = (learner.folder / "exercises/run/start/run.sh").read_text()
    assert (learner.work / "run" / "run.sh").read_text() == start


def test_a_solution_is_shown_after_passing_or_when_asked_for(learner: Learner) -> None:
    assert "not passed yet" in learner.make("solution", code=1)
    assert "docker run --detach" in learner.make("solution", "SPOIL=1")
    learner.make("learn")
    learner.write("run", "solution")
    learner.make("check")
    assert "docker run --detach" in learner.make("solution", "EX=run")


def test_what_changed_after_it_was_passed_stays_passed_and_says_so(learner: Learner) -> None:
    learner.make("learn")
    learner.write("run", "solution")
    learner.make("check")
    with (learner.folder / "exercises/run/README.md").open("a") as readme:
        readme.write("\nOne more thing.\n")
    assert "(changed)" in learner.make("progress")
    shutil.rmtree(learner.work / "run")
    again = learner.make("check", "EX=run", code=1)
    assert "It has changed since; it stays passed." in again
    assert "1 of 35 passed" in learner.make("learn")


def test_a_damaged_progress_file_is_kept(learner: Learner) -> None:
    learner.make("hint")
    (learner.work / "progress.json").write_text("{half of")
    learner.make("hint")
    assert (learner.work / "progress.damaged.json").read_text() == "{half of"
    assert learner.progress()["run"]["hints"] == 1


def test_an_engine_that_is_away_is_no_mistake_of_the_learner(learner: Learner) -> None:
    command = ["python3", "exercises/cli.py", "check"]
    env = {**learner.who.env, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = subprocess.run(
        command, cwd=learner.folder, env=env, capture_output=True, text=True, timeout=60, check=False,
        **learner.who.identity,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Cannot check: no Docker engine answers" in done.stdout
    assert "Traceback" not in done.stderr
    assert not (learner.work / "progress.json").exists()


def test_an_id_that_is_none_is_one_line(learner: Learner) -> None:
    done = subprocess.run(
        ["python3", "exercises/cli.py", "check", "--ex", "nothing"],
        cwd=learner.folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == "error: there is no exercise 'nothing': make progress lists them\n"
    assert done.returncode == 1


def test_what_a_killed_check_left_goes_with_the_next_one(learner: Learner) -> None:
    learner.make("learn")
    learner.write("run", "wrong-foreground")
    killed = learner.start("check")
    mine = f"exercise-{killed.pid}-"
    names = ("ps", "--format", "{{.Names}}", "--filter", f"name=^{mine}")
    wait_until(lambda: docker(*names).stdout, 60, describe=learner.log.read_text)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert list(learner.work.glob(f"{mine}*"))
    learner.write("run", "solution")
    learner.make("check")
    assert docker(*names, "--all").stdout == ""
    assert list(learner.work.glob("exercise-*")) == []


def test_watch_checks_at_every_change_and_stays_with_its_exercise(learner: Learner) -> None:
    learner.make("learn")
    learner.write("run", "solution")
    watching = learner.start("watch")
    path = learner.work / "progress.json"
    wait_until(lambda: path.exists() and learner.progress()["run"]["checks"] == 1, 60)
    with (learner.work / "run" / "run.sh").open("a") as script:
        script.write("# one more line\n")
    wait_until(lambda: learner.progress()["run"]["checks"] == 2, 60)
    wait_until(lambda: learner.log.read_text().count("Watching for a change") == 2, 60)
    os.killpg(watching.pid, signal.SIGINT)  # Ctrl-C
    assert watching.wait(timeout=60) == 130
    assert learner.log.read_text().count("Passed.") == 2
    assert "first-image" not in learner.log.read_text()
    assert "Traceback" not in learner.log.read_text()
    assert leftovers(learner.folder) == []


def report(folder: Path, name: str, **stopped_at: str) -> None:
    """A report of somebody who passed `run` and stopped at these exercises."""
    rows = {"run": {"passed": "2026-01-01", "version": "x", "checks": 2, "hints": 1}}
    rows |= {id: {"checks": 1, "stopped_at": step} for id, step in stopped_at.items()}
    (folder / f"report-{name}.json").write_text(json.dumps({"name": name, "exercises": rows}))


def test_a_class_sees_who_is_where_and_what_stops_most(learner: Learner) -> None:
    reports = learner.folder / "reports"
    reports.mkdir()
    learner.make("hint")
    written = learner.make("report", "NAME=Ada & Émile")
    assert "report-Ada-Émile.json" in written
    shutil.copy(learner.folder / "report-Ada-Émile.json", reports)
    report(reports, "Bo", **{"first-image": "The image builds"})
    report(reports, "Cy", **{"first-image": "The image builds"})
    (reports / "odd.json").write_text("[1]")
    learner.who.take(reports)
    shown = learner.make("class", "DIR=reports")
    assert "odd.json is no report and is left out" in shown
    assert "stops 2 of 3: first-image: The image builds" in shown
    with (reports / "class.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["name"] for row in rows] == ["Bo", "Cy", "Ada & Émile"]
    assert rows[0]["is at"] == "first-image"
    assert rows[0]["passed"] == "1"


def test_nobody_has_to_read_to_the_end(learner: Learner) -> None:
    program = "import os; read, write = os.pipe(); os.close(read); os.dup2(write, 1)"
    program += "; os.execvp('python3', ['python3', 'exercises/cli.py', 'progress'])"
    process = learner.who.start(
        "python3", "-c", program, folder=learner.folder, log=learner.log, env=learner.who.env
    )
    assert process.wait(60) == 0, learner.log.read_text()
    assert learner.log.read_text() == ""


def test_no_reports_is_one_line(learner: Learner) -> None:
    assert "error: no reports in 'docs'" in learner.make("class", "DIR=docs", code=2)
    assert "make report NAME=Ada" in learner.make("report", code=2)
