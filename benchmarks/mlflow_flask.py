"""Load the service of lab 5 and the naive version of it with requests, in turn, on this machine.

    python benchmarks/mlflow_flask.py

Needs Docker and wrk. The lab's own stack is started under a project of its own and trains; then each version of the
service runs alone beside that registry, in a container with one cpu and 512 MB, and wrk asks over 8 connections from the
host. The median of the rounds stands in the table, all of them are in results/mlflow-flask.json.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from containers import HERE, ROOT, build, docker, in_turn, medians, served, write, wrk

LAB = ROOT / "mlflow-flask"
PROJECT = "bench-mlflow-flask"
CONNECTIONS = 8
CUSTOMER = {
    "tenure_months": 3, "age": 27, "monthly_charges": 84.5, "support_calls": 4, "usage_gb": 41,
    "contract": "month-to-month", "internet": "fiber", "payment": "invoice",
}  # fmt: skip


@contextmanager
def registry() -> Iterator[str]:
    """A copy of the lab whose MLflow runs and holds a champion; yields the name of its network."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "mlflow-flask"
        shutil.copytree(LAB, copy)
        owner = {"HOST_UID": str(os.getuid()), "HOST_GID": str(os.getgid())}

        def compose(*words: str) -> None:
            command = ["docker", "compose", "--project-name", PROJECT, *words]
            env = {**os.environ, **owner, "MLFLOW_PORT": "0"}
            subprocess.run(command, cwd=copy, env=env, capture_output=True, check=True)

        try:
            compose("up", "--build", "--detach", "--wait", "mlflow")
            compose("--profile", "train", "run", "--rm", "--build", "train")
            yield f"{PROJECT}_default"
        finally:
            compose("--profile", "*", "down", "--volumes")


def measure(image: str, path: str, network: str, seconds: int) -> dict[str, float]:
    address = ("--network", network, "--env", "MLFLOW_TRACKING_URI=http://mlflow:5000")
    with served(image, 5000, path, *address) as service:
        wrk(f"{service.url}/predict", CUSTOMER, 2, CONNECTIONS)  # warm up
        result = {"ready_s": service.ready_s}
        result |= wrk(f"{service.url}/predict", CUSTOMER, seconds, CONNECTIONS)
        return result | {"peak_mib": service.peak_mib()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement (default: 10)")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    images = {
        "naive": (build("bench-naive-mlflow-flask", HERE / "naive" / "mlflow-flask"), "/health"),
        "ours": (build("bench-mlflow-flask", "-f", LAB / "Dockerfile.mlapp", LAB), "/ready"),
    }
    with registry() as network:
        data = LAB / "data" / "raw" / "churn.csv"
        docker(
            "run", "--rm", "--network", network, "--volume", f"{data}:/app/churn.csv:ro",
            images["naive"][0], "python", "train.py",
        )  # fmt: skip
        versions = {
            name: partial(measure, image, path, network, chosen.seconds)
            for name, (image, path) in images.items()
        }
        runs = in_turn(chosen.rounds, versions)
    table = medians(runs)
    print(f"{CONNECTIONS} connections, one cpu a container; median of {chosen.rounds} rounds\n")
    for name, row in table.items():
        print(
            f"{name:<8}{row['requests_per_second']:>8.0f} requests/s{row['p99_ms']:>8.1f} ms p99"
            f"{row['ready_s']:>8.2f} s to ready{row['peak_mib']:>8.0f} MiB"
        )
    write("mlflow-flask", {"connections": CONNECTIONS, **table, "rounds": runs})


if __name__ == "__main__":
    main()
