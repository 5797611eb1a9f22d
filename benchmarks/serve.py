"""Load the api of lab 3 and the naive version of it with requests, in turn, on this machine.

    python benchmarks/serve.py

Needs Docker and wrk. Each version runs alone in a container with one cpu and 512 MB; wrk asks over 16 connections from
the host. Rounds go through all versions before any gets its next turn; the median of the rounds stands in the table,
all of them are in results/ml-prod-demo.json.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from containers import HERE, ROOT, build, docker, image_mb, in_turn, medians, served, write, wrk

LAB = ROOT / "ml-prod-demo"
BUILDS: dict[str, list[object]] = {
    "naive": [HERE / "naive" / "ml-prod-demo"],
    "onnx": [LAB / "serve"],
    "joblib": ["--build-arg", "RUNTIME=joblib", LAB / "serve"],
}
CONNECTIONS = 16
BATCH_ROWS = 10_000
FLOWER = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


@contextmanager
def trained() -> Iterator[Path]:
    """A folder with a trained model; it goes when the block ends."""
    train = build("bench-iris-train", LAB / "train")
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        models.chmod(0o755)
        owner = f"{os.getuid()}:{os.getgid()}"
        docker("run", "--rm", "--user", owner, "--volume", f"{models}:/models", train)
        yield models


def measure(name: str, image: str, models: Path, seconds: int) -> dict[str, float]:
    mount = f"type=bind,source={models},target=/models,readonly"
    with served(image, 8000, "/ready", "--mount", mount) as api:
        wrk(f"{api.url}/predict", FLOWER, 2, CONNECTIONS)  # warm up
        result = {"ready_s": api.ready_s}
        result |= wrk(f"{api.url}/predict", FLOWER, seconds, CONNECTIONS)
        result["peak_mib"] = api.peak_mib()
        if name != "naive":
            body = {"rows": [FLOWER] * BATCH_ROWS}
            batch = wrk(f"{api.url}/predict/batch", body, seconds, 2)
            result["batch_rows_per_second"] = batch["requests_per_second"] * BATCH_ROWS
    return result


def show(table: dict[str, dict[str, float]]) -> None:
    head = ("", "req/s", "x naive", "p50 ms", "p99 ms", "batch rows/s", "MB", "ready s", "MiB")
    print("{:<8}{:>8}{:>9}{:>8}{:>8}{:>14}{:>6}{:>9}{:>6}".format(*head))
    for name, row in table.items():
        batch = row.get("batch_rows_per_second")
        print(
            f"{name:<8}{row['requests_per_second']:>8.0f}{row['times_naive']:>9.1f}"
            f"{row['p50_ms']:>8.1f}{row['p99_ms']:>8.1f}{f'{batch:,.0f}' if batch else '-':>14}"
            f"{row['image_mb']:>6.0f}{row['ready_s']:>9.2f}{row['peak_mib']:>6.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement (default: 10)")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()

    images = {name: build(f"bench-{name}-api", *options) for name, options in BUILDS.items()}
    with trained() as models:
        versions = {
            name: partial(measure, name, image, models, chosen.seconds)
            for name, image in images.items()
        }
        runs = in_turn(chosen.rounds, versions)

    table = medians(runs)
    for name, row in table.items():
        row["image_mb"] = image_mb(images[name])
        row["times_naive"] = row["requests_per_second"] / table["naive"]["requests_per_second"]
        if "batch_rows_per_second" in row:
            row["batch_times_single"] = row["batch_rows_per_second"] / row["requests_per_second"]
    print(f"{CONNECTIONS} connections, one cpu a container; median of {chosen.rounds} rounds\n")
    show(table)
    rows = {"naive": table["naive"], "ours": table["onnx"], "joblib": table["joblib"]}
    write("ml-prod-demo", {"connections": CONNECTIONS, **rows, "rounds": runs})


if __name__ == "__main__":
    main()
