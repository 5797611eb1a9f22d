"""Write the tables of measured numbers, in the README and in those of the labs, from benchmarks/results/*.json.

python benchmarks/table.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
# `make copy` leaves out lines with the word repository: what is copied keeps the table and loses these.
BEGIN = "<!-- made by `make bench` in the repository: do not edit from here -->\n"
END = "<!-- to here, in the repository -->\n"

# Per lab the file with its own numbers.
FILES = {
    "batch-job": "batch-job",
    "ds-lab": "ds-lab",
    "ml-prod-demo": "ml-prod-demo",
    "gpu-train": "gpu-train-cpu",
    "mlflow-flask": "mlflow-flask",
}
TITLES = {
    "image_mb": "image, MB",
    "cold_s": "build from nothing, s",
    "after_code_s": "rebuild after a code change, s",
    "after_dependency_s": "rebuild after a dependency change, s",
    "ready_s": "start to ready, s",
    "peak_mib": "peak memory, MiB",
    "seconds": "10 million rows, s",
    "rows_per_second": "rows/s",
    "requests_per_second": "requests/s",
    "p50_ms": "half of the answers within, ms",
    "p99_ms": "99 of 100 answers within, ms",
    "batch_rows_per_second": "rows/s of `/predict/batch`",
    "samples_per_second": "samples/s",
}
# Which numbers the README shows of all labs, and the README of each lab.
OF_ALL = [
    "image_mb", "cold_s", "after_code_s", "after_dependency_s", "ready_s", "peak_mib",
    "rows_per_second", "requests_per_second", "samples_per_second",
]  # fmt: skip
OF_LAB = {
    "batch-job": ["seconds", "peak_mib", "image_mb"],
    "ds-lab": ["image_mb", "after_dependency_s", "ready_s", "peak_mib"],
    "ml-prod-demo": [
        "requests_per_second", "p50_ms", "p99_ms", "batch_rows_per_second", "peak_mib", "image_mb",
        "ready_s",
    ],
    "gpu-train": ["image_mb", "cold_s", "after_dependency_s", "samples_per_second", "peak_mib"],
    "mlflow-flask": ["requests_per_second", "p50_ms", "p99_ms", "peak_mib", "image_mb", "ready_s"],
}  # fmt: skip
COLUMNS = {"naive": "naive", "ours": "this lab", "joblib": "this lab, `RUNTIME=joblib`"}


def results(lab: str) -> dict:
    return json.loads((RESULTS / f"{FILES[lab]}.json").read_text())


def numbers(lab: str, version: str) -> dict[str, float]:
    """All that was measured of one version (`naive`, `ours`, lab 3 also `joblib`) of a lab."""
    builds = json.loads((RESULTS / "builds.json").read_text())
    return results(lab)[version] | builds[lab].get(version, {})


def shown(value: float | None) -> str:
    if value is None:
        return ""
    if value >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def markdown(head: list[str], rows: list[list[str]], machine: str) -> str:
    lines = [f"| {' | '.join(row)} |" for row in [head, *rows]]
    lines.insert(1, "|---" * len(head) + "|")
    return "\n".join([*lines, "", f"Measured on: {machine}."]) + "\n"


def table_of_all() -> str:
    def cell(lab: str, key: str) -> str:
        naive, ours = (numbers(lab, version).get(key) for version in ("naive", "ours"))
        return "" if naive is None or ours is None else f"{shown(naive)} → {shown(ours)}"

    rows = [[TITLES[key], *(cell(lab, key) for lab in FILES)] for key in OF_ALL]
    return markdown(["naive → ours", *FILES], rows, results("ml-prod-demo")["machine"])


def table_of(lab: str) -> str:
    measured = [version for version in COLUMNS if version in results(lab)]
    rows = [
        [TITLES[key], *(shown(numbers(lab, version).get(key)) for version in measured)]
        for key in OF_LAB[lab]
    ]
    head = ["", *(COLUMNS[version] for version in measured)]
    return markdown(head, rows, results(lab)["machine"])


def table_of_cluster() -> str:
    """Lab 1 on workers: what was measured, and what follows for a thousand files of a gigabyte each."""
    measured = json.loads((RESULTS / "batch-job-cluster.json").read_text())
    seconds = dict(measured["seconds"])
    per_file = seconds.pop("small files") / measured["small_files"]
    rate = measured["megabytes"] / seconds["one container"]
    rows = [[f"{measured['files']} files, {measured['megabytes']:.0f} MB in all: {name}", f"{shown(taken)} s"]
            for name, taken in seconds.items()]  # fmt: skip
    rows += [
        ["a file before its first row, at most", f"{per_file * 1e3:.0f} ms"],
        ["computed: 1,000 files of 1 GB, a cpu for each of 50 workers",
         f"{1_000 / 50 * 1_000 / rate / 60:.0f} min"],
        ["computed: what the store has to give meanwhile, and to take", f"{50 * rate / 1_000:.1f} GB/s each"],
        ["computed: what the driver and the scheduler do meanwhile", f"{1_000 * per_file:.0f} s"],
    ]  # fmt: skip
    return markdown(["lab 1's cluster", ""], rows, measured["machine"])


def pages() -> dict[Path, str]:
    """Each page with measured numbers, and its table."""
    return {
        ROOT / "README.md": table_of_all(),
        ROOT / "docs/scale.md": table_of_cluster(),
        **{ROOT / lab / "README.md": table_of(lab) for lab in FILES},
    }


def replaced(page: Path, table: str) -> str:
    """The page with the table as it should be."""
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    text = page.read_text()
    new, count = re.subn(pattern, lambda _: f"{BEGIN}\n{table}\n{END}", text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{page} lacks the lines {BEGIN.strip()} and {END.strip()}")
    return new


if __name__ == "__main__":
    for page, table in pages().items():
        page.write_text(replaced(page, table))
