"""Every command that a lab's README shows runs, in order, in a copy of the lab alone in an empty folder."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT
from docker_cli import PROJECT_PREFIX, docker
from readme import matches, read_steps, run_steps


@pytest.fixture
def project(engine: None) -> str:
    return PROJECT_PREFIX + uuid.uuid4().hex[:8]


def test_readme_commands_run_and_print_what_is_shown(
    lab: str, lab_copy: Callable[[str], Path], project: str
) -> None:
    folder = lab_copy(lab)
    steps = read_steps(folder / "README.md")
    runnable = [step for step in steps if step.not_run is None]
    assert runnable, f"{lab}/README.md shows no command"
    env = {**os.environ, "COMPOSE_PROJECT_NAME": project}
    try:
        run_steps(runnable, folder, env, timeout=800)
    finally:
        docker("compose", "-p", project, "down", "--volumes", "--remove-orphans", check=False)
    print(f"{lab}/README.md: {len(runnable)} blocks run, {len(steps) - len(runnable)} marked")


def test_blocks_that_do_not_run_are_few() -> None:
    steps = [step for path in sorted(ROOT.glob("*/README.md")) for step in read_steps(path)]
    marked = [step for step in steps if step.not_run]
    print(f"{len(steps)} blocks, {len(marked)} not run: {[step.not_run for step in marked]}")
    assert len(marked) <= 0.05 * len(steps)


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\n...\nz\n", "a\nb\nc\nz\n", True),
        ("a\n...\nz\n", "a\nz\n", True),
        ("a\n...\nz\n", "a\nb\n", False),
        ("took ... s\n", "took 3.2 s\n", True),
        ("took ... s\n", "took 3.2 m\n", False),
        ("a\n", "a\nb\n", False),
    ],
)
def test_dots_stand_for_anything(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_wrong_output_or_a_failing_command_is_found(tmp_path: Path) -> None:
    wrong = write(tmp_path / "wrong.md", "```bash\necho a\n```\n\n```text\nb\n```\n")
    with pytest.raises(AssertionError, match="expected:\nb"):
        run_steps(read_steps(wrong), tmp_path, dict(os.environ), timeout=10)
    failing = write(tmp_path / "failing.md", "```bash\nx=1\n```\n\n```bash\nfalse\n```\n")
    with pytest.raises(AssertionError, match="line 5"):
        run_steps(read_steps(failing), tmp_path, dict(os.environ), timeout=10)


def test_a_marked_block_is_left_out_with_its_reason(tmp_path: Path) -> None:
    document = write(tmp_path / "marked.md", "<!-- not run: needs a GPU -->\n```bash\nx\n```\n")
    (step,) = read_steps(document)
    assert step.not_run == "needs a GPU"
