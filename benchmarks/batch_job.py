"""Clean one large CSV with lab 1 and with the naive pandas script, in turn, on this machine.

    python benchmarks/batch_job.py                      10 million rows, about 220 MB
    python benchmarks/batch_job.py --rows 100000000     2.2 GB

Needs Docker alone. Both run in containers with the same limits, on the same input, one after the other. Seconds
are those of the Python process, from its start to its end; memory is its high-water mark (ru_maxrss), so the
page cache does not count. The best of the runs stands in the table; all of them are in results/batch-job.json.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path

from containers import HERE, ROOT, build, docker, in_turn, medians, program, write

BUILDS = {"naive": HERE / "naive" / "batch-job", "ours": ROOT / "batch-job"}
SCRIPTS = {"naive": "clean.py", "ours": "clean_data.py"}
ROWS = 10_000_000


def in_container(image: str, data: Path, memory: str, *command: str) -> str:
    """Run python in an image on `data`, two cpus, no network; return what it printed."""
    return docker(
        "run", "--rm", "--network", "none", "--memory", memory, "--cpus", "2",
        "--user", f"{os.getuid()}:{os.getgid()}", "--env", "HOME=/tmp",
        "--mount", f"type=bind,source={data},target=/app/data", image, "python", *command,
    )  # fmt: skip


def make_input(image: str, data: Path, rows: int) -> None:
    in_container(image, data, "2g", "-c", program("make_input.py"), str(rows))


def job(script: str, image: str, data: Path, memory: str) -> dict[str, float]:
    """Run a script in an image on raw.csv; return its exit code, its seconds and its most memory."""
    said = in_container(image, data, memory, "-c", program("measure.py"), script)
    return json.loads(said)


def start(version: str, image: str, data: Path) -> dict[str, float]:
    """Seconds from `docker run` to the end of a job, which is to be a tiny one."""
    started = time.perf_counter()
    in_container(image, data, "1g", SCRIPTS[version])
    return {"ready_s": time.perf_counter() - started}


def summary(runs: list[dict], rows: int) -> dict[str, float]:
    """The best of the runs that were not killed; memory is the worst of all."""
    best = min(run["seconds"] for run in runs if run["exit_code"] == 0)
    peak = max(run["peak_mib"] for run in runs)
    return {"seconds": best, "rows_per_second": rows / best, "peak_mib": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--runs", type=int, default=5, help="of each, in turn (default: 5)")
    parser.add_argument("--memory", default="1g", help="limit of the container (default: 1g)")
    chosen = parser.parse_args()

    images = {name: build(f"bench-{name}-batch-job", folder) for name, folder in BUILDS.items()}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        make_input(images["naive"], data, 100)
        ready = medians(in_turn(3, {n: partial(start, n, i, data) for n, i in images.items()}))
        make_input(images["naive"], data, chosen.rows)
        jobs = {n: partial(job, SCRIPTS[n], i, data, chosen.memory) for n, i in images.items()}
        runs = in_turn(chosen.runs, jobs)
        size = (data / "raw.csv").stat().st_size

    print(f"{chosen.rows:,} rows, {size / 1e6:,.0f} MB, --memory={chosen.memory} --cpus=2\n")
    table = {}
    for name, done in runs.items():
        if all(run["exit_code"] for run in done):
            print(f"{name:<8}killed: out of memory")
            continue
        row = summary(done, chosen.rows) | ready[name]
        print(f"{name:<8}{row['seconds']:>8.2f} s{row['peak_mib']:>8.0f} MiB", end="")
        print(f"{row['rows_per_second']:>14,.0f} rows/s{row['ready_s']:>8.2f} s for 100 rows")
        table[name] = row
    lab = "batch-job" if chosen.rows == ROWS else f"batch-job-{chosen.rows}"
    write(lab, {"bytes": size, "memory_limit": chosen.memory, **table, "runs": runs})


if __name__ == "__main__":
    main()
