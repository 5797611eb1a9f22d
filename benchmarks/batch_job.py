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
import platform
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
IMAGES = {"naive": HERE / "naive" / "batch-job", "batch-job": HERE.parent / "batch-job"}
SCRIPTS = {"naive": "clean.py", "batch-job": "job.py"}

# Runs in the lab's image: what it takes to make the input is there.
MAKE_INPUT = """
import sys
import numpy as np, polars as pl
rows, rng = int(sys.argv[1]), np.random.default_rng(42)
with open("data/raw.csv", "wb") as file:
    file.write(b"age,income,churn\\n")
    for start in range(0, rows, 1_000_000):
        n = min(1_000_000, rows - start)
        age, income, blank = rng.integers(18, 70, n), rng.normal(5e4, 1.5e4, n), rng.random(n) < 0.05
        frame = pl.DataFrame({"age": age, "income": income, "churn": (age > 50).astype("i1")})
        frame = frame.with_columns(income=pl.when(pl.Series(~blank)).then("income"))
        frame.write_csv(file, include_header=False)
"""

# Runs in both images: the job as a child, its seconds and its memory in KiB as one line of JSON.
MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run([sys.executable, sys.argv[1]], stdout=sys.stderr).returncode
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"exit_code": code, "seconds": seconds, "peak_mib": peak / 1024}))
"""


def in_container(image: str, data: Path, memory: str, *command: str) -> str:
    """Run python in an image on `data`, two cpus, no network; return what it printed."""
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", "--memory", memory, "--cpus", "2",
         "--user", f"{os.getuid()}:{os.getgid()}", "--env", "HOME=/tmp",
         "--mount", f"type=bind,source={data},target=/app/data", image, "python", *command],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{image}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3, help="of each, in turn (default: 3)")
    parser.add_argument("--memory", default="1g", help="limit of the container (default: 1g)")
    arguments = parser.parse_args()

    tags = {name: f"bench-{name}" for name in IMAGES}
    for name, folder in IMAGES.items():
        subprocess.run(["docker", "build", "--quiet", "-t", tags[name], folder], check=True)

    measured: dict[str, list[dict]] = {name: [] for name in IMAGES}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        in_container(tags["batch-job"], data, "2g", "-c", MAKE_INPUT, str(arguments.rows))
        size = (data / "raw.csv").stat().st_size
        for _ in range(arguments.runs):
            for name, runs in measured.items():
                said = in_container(
                    tags[name], data, arguments.memory, "-c", MEASURE, SCRIPTS[name]
                )
                runs.append(json.loads(said))

    print(f"{arguments.rows:,} rows, {size / 1e6:,.0f} MB, --memory={arguments.memory} --cpus=2\n")
    print(f"{'':<12}{'seconds':>10}{'peak MiB':>10}{'times as fast':>15}")
    best = {}
    for name, runs in measured.items():
        whole = [run for run in runs if run["exit_code"] == 0]
        if not whole:
            print(f"{name:<12}{'killed: out of memory':>35}")
            continue
        best[name] = min(run["seconds"] for run in whole)
        peak = max(run["peak_mib"] for run in whole)
        ratio = f"{best['naive'] / best[name]:.1f}" if "naive" in best else ""
        print(f"{name:<12}{best[name]:>10.1f}{peak:>10.0f}{ratio:>15}")

    results = HERE / "results" / "batch-job.json"
    results.parent.mkdir(exist_ok=True)
    kept = json.loads(results.read_text()) if results.exists() else {}
    kept[str(arguments.rows)] = {
        "bytes": size,
        "memory_limit": arguments.memory,
        "cpus": min(2, os.cpu_count() or 1),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "runs": measured,
    }
    results.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
