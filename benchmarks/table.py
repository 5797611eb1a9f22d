"""Write the README's table from benchmarks/results/*.json.

python benchmarks/table.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.md"
RESULTS = HERE / "results"
BEGIN = "<!-- made by `make bench`: do not edit from here -->\n"
END = "<!-- to here -->\n"

# Per lab the file with its own numbers.
FILES = {
    "batch-job": "batch-job",
    "ds-lab": "ds-lab",
    "ml-prod-demo": "ml-prod-demo",
    "gpu-train": "gpu-train-cpu",
    "mlflow-flask": "mlflow-flask",
}
ROWS = {
    "image, MB": "image_mb",
    "build from nothing, s": "cold_s",
    "rebuild after a code change, s": "after_code_s",
    "rebuild after a dependency change, s": "after_dependency_s",
    "start to ready, s": "ready_s",
    "peak memory, MiB": "peak_mib",
    "rows/s": "rows_per_second",
    "requests/s": "requests_per_second",
    "samples/s": "samples_per_second",
}


def numbers(lab: str, version: str) -> dict[str, float]:
    """All that was measured of one version, `naive` or `ours`, of a lab."""
    builds = json.loads((RESULTS / "builds.json").read_text())
    own = json.loads((RESULTS / f"{FILES[lab]}.json").read_text())
    return own[version] | builds[lab][version]


def shown(value: float) -> str:
    if value >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def cell(lab: str, key: str) -> str:
    naive, ours = (numbers(lab, version).get(key) for version in ("naive", "ours"))
    return "" if naive is None or ours is None else f"{shown(naive)} → {shown(ours)}"


def render() -> str:
    lines = [f"| naive → ours | {' | '.join(FILES)} |", "|---" * (len(FILES) + 1) + "|"]
    lines += [
        f"| {title} | {' | '.join(cell(lab, key) for lab in FILES)} |"
        for title, key in ROWS.items()
    ]
    machine = json.loads((RESULTS / "builds.json").read_text())["machine"]
    return "\n".join([*lines, "", f"Measured on: {machine}."]) + "\n"


def replaced(text: str) -> str:
    """The README with the table as it should be."""
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    new, count = re.subn(pattern, lambda _: f"{BEGIN}\n{render()}\n{END}", text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{README.name} lacks the lines {BEGIN.strip()} and {END.strip()}")
    return new


if __name__ == "__main__":
    README.write_text(replaced(README.read_text()))
