"""The proof of an exercise: as shipped it fails, each solution passes, each near miss fails, with the message it must get."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from docker_cli import docker
from learn.bench import KINDS, Refused
from learn.checking import check
from learn.exercise import EXERCISES, Exercise, load

KEYS = ("did", "seen", "expected", "why", "read")


def ids_of(section: str) -> list[str]:
    """The ids below `# section` in order.txt, as far as they are there."""
    text = (EXERCISES / "order.txt").read_text()
    listed = text.split(f"# {section}\n")[1].split("#")[0].split()
    return [id for id in listed if (EXERCISES / id / "check.py").is_file()]


def cases_of(section: str) -> list[tuple[str, str]]:
    """Every variant of every exercise of a section: (id, folder)."""
    return [
        (exercise.id, variant)
        for exercise in map(load, ids_of(section))
        for variant in ("start", *exercise.variants("solution"), *exercise.variants("wrong"))
    ]


def lay_out(exercise: Exercise, work: Path, variant: str) -> None:
    """Write what somebody has who changed a lab's files as change.diff says: of a long file only what differs is kept."""
    exercise.lay_out(work, variant)
    change = work / "change.diff"
    if change.exists():
        subprocess.run(["git", "apply", change.name], cwd=work, check=True)
        change.unlink()


def prove(id: str, variant: str, folder: Path) -> None:
    """Check one variant as a learner's work, without a network while it builds."""
    exercise = load(id)
    work = folder / "work"
    lay_out(exercise, work, variant)
    steps: list[str] = []
    refused = check(exercise, work, steps.append, offline=not exercise.lab)
    assert left_behind(folder) == []
    if variant.startswith("solution"):
        assert refused is None, (refused.step, refused.lines)
        assert 1 <= len(steps) <= 5, steps
    else:
        assert refused, f"{variant} passes: {steps}"
        assert_teaches(exercise, variant, refused)


def assert_teaches(exercise: Exercise, variant: str, refused: Refused) -> None:
    said = json.dumps([refused.step, refused.lines], ensure_ascii=False)
    assert exercise.must_say[variant] in said, said
    assert tuple(refused.lines) == KEYS
    assert all(text.strip() for text in refused.lines.values()), said
    assert "Traceback" not in said


def left_behind(folder: Path) -> list[str]:
    """Names of what a check made and did not take away."""
    found = [path.name for path in folder.glob("exercise-*")]
    for kind, (listing, _) in KINDS.items():
        names = docker(kind, *listing).stdout.split()
        found += [f"{kind} {name}" for name in names if name.startswith(f"exercise-{os.getpid()}-")]
    return found
