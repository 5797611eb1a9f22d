"""Every command that a document shows runs, in order, in a copy: of the lab alone, or of all labs.

The one who types is somebody else than root, under a random uid, and after every step the containers that
run are held against the rows of posture.py.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import LABS, ROOT, copy_of_git
from docker_cli import PROJECT_LABEL, PROJECT_PREFIX, docker
from posture import violations_of_project
from readme import Step, matches, read_steps, run_steps


@dataclass(frozen=True)
class Newcomer:
    """Somebody with a folder, a home, the right to use Docker, and nothing else."""

    folder: Path
    uid: int
    gid: int
    project: str

    def owns(self, path: Path) -> bool:
        return path.lstat().st_uid == self.uid

    def take(self, folder: Path) -> None:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, self.uid, self.gid)

    def follow(self, steps: list[Step], folder: Path, timeout: float) -> None:
        self.take(self.folder)
        run_steps(
            steps,
            folder,
            {**os.environ, "HOME": str(self.folder), "COMPOSE_PROJECT_NAME": self.project},
            timeout,
            owner=(self.uid, self.gid) if os.getuid() == 0 else None,
            after_each=self.check_posture,
        )

    def check_posture(self) -> None:
        assert violations_of_project(self.project) == []

    def left(self, kind: str) -> list[str]:
        """Names of the `container`s, `network`s or `volume`s of the project that are still there."""
        every = ["--all"] if kind == "container" else []
        label = f"label={PROJECT_LABEL}={self.project}"
        return docker(kind, "ls", "--quiet", *every, "--filter", label).stdout.split()


@pytest.fixture
def newcomer(engine: None) -> Iterator[Newcomer]:
    folder = Path(tempfile.mkdtemp(prefix="labs-newcomer-"))
    project = PROJECT_PREFIX + uuid.uuid4().hex[:8]
    if os.getuid() == 0:
        # The group of the socket is what lets a user of Docker in.
        uid, gid = random.randint(1000, 65536), os.stat("/var/run/docker.sock").st_gid
    else:
        uid, gid = os.getuid(), os.getgid()
    yield Newcomer(folder, uid, gid, project)
    docker("compose", "-p", project, "down", "--volumes", "--remove-orphans", check=False)
    shutil.rmtree(folder)


def test_readme_commands_run_and_print_what_is_shown(lab: str, newcomer: Newcomer) -> None:
    folder = copy_of_git(lab, newcomer.folder)
    steps = [step for step in read_steps(folder / "README.md") if step.not_run is None]
    assert steps, f"{lab}/README.md shows no command"
    newcomer.follow(steps, folder, timeout=800)
    print(f"{lab}/README.md: {len(steps)} blocks run as user {newcomer.uid}")
    assert newcomer.left("container") == []
    assert newcomer.left("network") == []
    assert [path for path in folder.rglob("*") if not newcomer.owns(path)] == []


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_docs_commands_run_and_print_what_is_shown(document: Path, newcomer: Newcomer) -> None:
    for part in ("Makefile", "setup", *LABS):
        copy_of_git(part, newcomer.folder)
    steps = [step for step in read_steps(document) if step.not_run is None]
    names = {name for step in steps for name in re.findall(r"--name (demo-\S+)", step.commands)}
    try:
        newcomer.follow(steps, newcomer.folder, timeout=240)
    finally:
        docker("rm", "--force", "--volumes", *names, check=False)


def test_blocks_that_do_not_run_are_few() -> None:
    documents = [ROOT / "README.md", *sorted(ROOT.glob("*/*.md"))]
    steps = [step for path in documents for step in read_steps(path)]
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
    endless = write(tmp_path / "endless.md", "```bash\nwhile :; do :; done\n```\n")
    with pytest.raises(AssertionError, match="not done within"):
        run_steps(read_steps(endless), tmp_path, dict(os.environ), timeout=1)


def test_a_marked_block_is_left_out_with_its_reason(tmp_path: Path) -> None:
    document = write(tmp_path / "marked.md", "<!-- not run: needs a GPU -->\n```bash\nx\n```\n")
    (step,) = read_steps(document)
    assert step.not_run == "needs a GPU"
