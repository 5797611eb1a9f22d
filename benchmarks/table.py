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
# Which numbers docs/performance.md shows, the one that ranks first.
PEERS = {
    "batch-job": ["seconds", "peak_mib"],
    "ml-prod-demo": ["requests_per_second", "p50_ms", "p99_ms"],
    "mlflow-flask": ["requests_per_second", "p50_ms", "p99_ms"],
}
NAIVE_LEAVES_OUT = {
    "batch-job": "keeps no rejects, checks no age, counts nothing, holds the whole file in memory",
    "ml-prod-demo": "checks no range, gives no probabilities",
}
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


def markdown(head: list[str], rows: list[list[str]], measured: dict) -> str:
    about = "{machine}, Docker {engine}, {date}, commit {commit}".format(**measured)
    return f"{plain(head, rows)}\nMeasured on: {about}.\n"


def plain(head: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(row)} |\n" for row in [head, *rows]]
    lines.insert(1, "|---" * len(head) + "|\n")
    return "".join(lines)


def differ(key: str, naive: float, ours: float) -> bool:
    """Whether two numbers say anything: not seconds within a fifth of one, and not memory within a tenth."""
    if key in ("ready_s", "after_code_s"):
        return abs(naive - ours) > 0.2
    return key != "peak_mib" or abs(naive / ours - 1) > 0.1


def compared(lab: str, key: str) -> tuple[float, float] | None:
    """What the naive version and the lab came to; None where that was not measured or says nothing."""
    naive, ours = (numbers(lab, version).get(key) for version in ("naive", "ours"))
    return None if naive is None or ours is None or not differ(key, naive, ours) else (naive, ours)


def table_of_all() -> str:
    def cell(lab: str, key: str) -> str:
        return " → ".join(map(shown, compared(lab, key) or ()))

    rows = [[TITLES[key], *(cell(lab, key) for lab in FILES)] for key in OF_ALL]
    return markdown(["naive → ours", *FILES], rows, results("ml-prod-demo"))


def table_of(lab: str) -> str:
    measured = [version for version in COLUMNS if version in results(lab)]
    rows = [
        [TITLES[key], *(shown(numbers(lab, version).get(key)) for version in measured)]
        for key in OF_LAB[lab]
        if compared(lab, key) or numbers(lab, "naive").get(key) is None
    ]
    head = ["", *(COLUMNS[version] for version in measured)]
    return markdown(head, rows, results(lab))


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
    return markdown(["lab 1's cluster", ""], rows, measured)


def table_of_peers() -> str:
    """Labs 1, 3 and 5 beside other tools, the best first; and what versions these had."""
    measured = json.loads((RESULTS / "peers.json").read_text())
    text = ""
    for lab, keys in PEERS.items():
        about = measured["about"] | {
            "naive": {"is": "The naive version.", "not_done": NAIVE_LEAVES_OUT.get(lab, "")},
            "ours": {"is": "**This lab.**", "not_done": ""},
            "ours_joblib": {"is": "**This lab**, scikit-learn instead of ONNX.", "not_done": ""},
        }
        ranked = sorted(
            measured[lab].items(), key=lambda row: row[1][keys[0]], reverse=keys[0] != "seconds"
        )
        rows = [
            [
                about[name]["is"],
                *(shown(row.get(key)) for key in keys),
                about[name]["not_done"].rstrip("."),
            ]
            for name, row in ranked
        ]
        text += plain([lab, *(TITLES[key] for key in keys), "what it leaves out"], rows) + "\n"
    builds = json.loads((RESULTS / "builds.json").read_text())
    versions = {it for peer in measured["about"].values() for it in peer["versions"].split(", ")}
    naive = {
        f"{name}=={at}" for lab in NAIVE_LEAVES_OUT for name, at in builds["versions"][lab].items()
    }
    return text + markdown(
        ["versions", ""],
        [["the tools", ", ".join(sorted(versions))], ["the naive versions", ", ".join(sorted(naive))]],
        measured,
    )  # fmt: skip


def pages() -> dict[Path, str]:
    """Each page with measured numbers, and its table."""
    return {
        ROOT / "README.md": table_of_all(),
        ROOT / "docs/scale.md": table_of_cluster(),
        ROOT / "docs/performance.md": table_of_peers(),
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
