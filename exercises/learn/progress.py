"""What the learner has done, in work/progress.json: theirs alone, on this machine alone."""

from __future__ import annotations

import datetime
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from learn.exercise import ROOT, Exercise, read_order

WORK = Path(os.environ.get("WORK") or ROOT / "work").resolve()


@dataclass
class Record:
    """One exercise: the day it was passed and in which version, how often it was checked, how many hints were
    shown, and the step at which the last check stopped."""

    passed: str = ""
    version: str = ""
    checks: int = 0
    hints: int = 0
    stopped_at: str = ""


@dataclass
class Progress:
    records: dict[str, Record] = field(default_factory=dict)

    def of(self, id: str) -> Record:
        return self.records.setdefault(id, Record())

    def passed(self) -> list[str]:
        return [id for id in read_order() if self.of(id).passed]

    def current(self) -> str:
        """The first exercise that is not passed yet; "" when all are."""
        return next((id for id in read_order() if not self.of(id).passed), "")

    def note(self, exercise: Exercise, stopped_at: str) -> None:
        """Take down a check that stopped at a step, or passed (""). What is passed stays passed."""
        record = self.of(exercise.id)
        record.checks += 1
        record.stopped_at = stopped_at
        if not stopped_at:
            record.passed = record.passed or datetime.date.today().isoformat()
            record.version = exercise.version()
        self.save()

    def save(self) -> None:
        WORK.mkdir(parents=True, exist_ok=True)
        part = WORK / f".progress.json.{os.getpid()}.part"
        part.write_text(json.dumps(asdict(self)["records"], indent=2) + "\n", encoding="utf-8")
        part.replace(WORK / "progress.json")


def read_progress() -> Progress:
    """Read the file. One that is damaged is put aside, so that nothing of it is lost."""
    path = WORK / "progress.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return Progress({id: Record(**row) for id, row in rows.items()})
    except FileNotFoundError:
        return Progress()
    except (ValueError, TypeError, AttributeError):
        aside = free_name(WORK / "progress.damaged.json")
        path.replace(aside)
        print(f"work/progress.json could not be read; it is kept as {aside.name}")
        return Progress()


def free_name(path: Path) -> Path:
    """`path`, or where that is taken the same with the first number that is free."""
    number = 2
    free = path
    while free.exists():
        free = path.with_name(f"{path.stem}.{number}{path.suffix}")
        number += 1
    return free
