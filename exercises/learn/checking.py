"""Checks one exercise: copies the learner's folder, runs the check on the copy, and takes everything away again."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Callable

from learn.bench import Bench, CannotCheck, Refused, is_of_a_killed_check, run_command, sweep
from learn.exercise import Exercise


def ensure_ready(exercise: Exercise) -> None:
    """Raise CannotCheck when no engine answers, or an image is not to be had."""
    asked = run_command("docker", "version")
    if asked.code:
        words = asked.seen.splitlines()[-1]
        raise CannotCheck(f"no Docker engine answers (docs/troubleshooting.md): {words}")
    for image in exercise.images:
        if run_command("docker", "image", "inspect", image).code:
            print(f"  getting {image}", flush=True)
            pulled = run_command("docker", "pull", "--quiet", image, timeout=1800)
            if pulled.code:
                raise CannotCheck(f"{image} is not here, and cannot be pulled: {pulled.seen}")


def remove_leftovers(beside: Path) -> None:
    """Remove what checks left that were killed."""
    sweep(is_of_a_killed_check)
    for folder in beside.glob("exercise-*"):
        if is_of_a_killed_check(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def check(
    exercise: Exercise, folder: Path, say: Callable[[str], None], offline: bool = False
) -> Refused | None:
    """Return the step that is not right yet; None when everything is. Each step that is right goes to `say`.

    Raises CannotCheck when that cannot be found out.
    """
    ensure_ready(exercise)
    remove_leftovers(folder.parent)
    # Beside the learner's folder: not every Docker can mount the system's temporary one.
    bench = Bench(folder.parent, say, offline)
    try:
        shutil.copytree(folder, bench.folder, symlinks=True)
        exercise.check(bench)
    except Refused as refused:
        return refused
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
    ) as error:  # Docker said what nobody foresaw
        raise CannotCheck(
            f"the check of {exercise.id} does not understand this: {error!r}"
        ) from error
    finally:
        bench.remove()
    return None


def changes_of(folder: Path) -> dict[Path, int]:
    """Of every file its time of change, for `make watch`. Polling works on network drives and WSL, too."""
    times = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            times[path] = path.stat().st_mtime_ns
    return times
