"""A learner's report, and the table of a class made from many."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from learn.exercise import read_order
from learn.progress import Progress, Record


def write_report(progress: Progress, name: str) -> Path:
    """Write report-NAME.json to the current folder: a name, and what progress.json holds. Nothing is sent."""
    safe = re.sub(r"[^\w.-]+", "-", name)
    path = Path(f"report-{safe}.json")
    report = {"name": name, "exercises": asdict(progress)["records"]}
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_reports(folder: Path) -> list[dict[str, Any]]:
    """A row of the class's table for each report in a folder; a file that is none is named and left out."""
    rows = []
    for path in sorted(folder.glob("*.json")):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            records = {id: Record(**record) for id, record in report["exercises"].items()}
            rows.append(row_of(str(report["name"]), Progress(records)))
        except (ValueError, KeyError, TypeError, AttributeError):
            print(f"{path.name} is no report and is left out")
    return sorted(rows, key=lambda row: (-row["passed"], row["name"]))


def row_of(name: str, progress: Progress) -> dict[str, Any]:
    records = [progress.of(id) for id in read_order()]
    return {
        "name": name,
        "passed": len(progress.passed()),
        "checks": sum(record.checks for record in records),
        "hints": sum(record.hints for record in records),
        "is at": progress.current(),
        "stopped at": progress.of(progress.current()).stopped_at,
    }


def print_class(rows: list[dict[str, Any]]) -> None:
    """Who is where, and which steps stop most."""
    line = "{name:<20.20} {passed:>6} {checks:>6} {hints:>5}  {is at:<17.17} {stopped at}"
    print(line.format(**{name: name for name in rows[0]}))
    for row in rows:
        print(line.format(**row)[:80].rstrip())
    stops = Counter(f"{row['is at']}: {row['stopped at']}" for row in rows if row["stopped at"])
    for step, learners in stops.most_common(3):
        print(f"\nstops {learners} of {len(rows)}: {step}"[:80])


def write_csv(rows: list[dict[str, Any]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
