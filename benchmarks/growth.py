"""Measure what becomes of labs 1 and 3 when there is more to do: longer files, more connections, more predictions.

    python benchmarks/growth.py

Needs what bench.sh asks for. Lab 1 cleans files of 1, 10 and 100 million rows with two cpus and 1 GB. The api of
lab 3 is asked over 1 to 192 connections, on one cpu. Then it is asked, with its databases, for so many
predictions a second, and counts those that do not stand in Postgres yet. Writes results/growth.json.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import batch_job
import serve
from containers import HERE, ROOT, build, write
from peers import FLOWERS, ask

ROWS = (1_000_000, 10_000_000, 100_000_000)
CONNECTIONS = (1, 16, 64, 192)  # the api takes 200
PER_SECOND = (1_000, 10_000)
SECONDS = 60
BATCHES = 10  # a second


def longer_files() -> list[dict[str, float]]:
    naive = build("bench-naive-batch-job", HERE / "naive" / "batch-job")
    ours = build("bench-ours-batch-job", ROOT / "batch-job")
    found = []
    for rows in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            batch_job.make_input(naive, Path(folder), rows)
            done = batch_job.job("clean_data.py", ours, Path(folder), "1g")
        if done.pop("exit_code"):
            raise SystemExit(f"growth: {rows:,} rows need more than 1 GB")
        found.append({"rows": rows, **done})
        print(found[-1], flush=True)
    return found


def more_connections() -> list[dict[str, float]]:
    api = build("bench-onnx-api", *serve.BUILDS["onnx"])
    found = []
    with serve.trained() as models:
        for n in CONNECTIONS:
            answered = ask(api, FLOWERS["ours"], 10, n, "--volume", f"{models}:/models:ro")
            found.append({"connections": n, **answered})
            print(found[-1], flush=True)
    return found


def more_predictions(folder: Path) -> dict[str, list[int]]:
    """By predictions a second: how many are not recorded yet, after each second of a minute."""
    os.environ |= {
        "COMPOSE_FILE": "compose.yaml:production/compose.yaml",
        "COMPOSE_PROJECT_NAME": "bench-growth",
        "HOST_UID": str(os.getuid()),
        "HOST_GID": str(os.getgid()),
        "PORT": "0",
        "PROMETHEUS_PORT": "0",
    }

    def compose(*words: str) -> str:
        command = ("docker", "compose", *words)
        return subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    subprocess.run([folder / "production/make-secrets.sh"], check=True)
    found = {}
    try:
        for rate in PER_SECOND:
            compose("up", "--build", "--detach", "--wait", "--quiet-pull", "api", "recorder")
            url = "http://" + compose("port", "api", "8000").strip()
            found[str(rate)] = waiting(url, rate)
            print(rate, found[str(rate)], flush=True)
            compose("down", "--volumes")
    finally:
        compose("down", "--volumes", "--rmi=local")
    return found


def waiting(url: str, rate: int) -> list[int]:
    """Ask for `rate` predictions a second, in batches; return how many wait, in the api and in Redis, each second."""
    body = json.dumps({"rows": [serve.FLOWER] * (rate // BATCHES)}).encode()
    batch = urllib.request.Request(
        f"{url}/predict/batch", body, {"Content-Type": "application/json"}
    )
    found, began = [], time.monotonic()
    for number in range(1, SECONDS * BATCHES + 1):
        try:
            urllib.request.urlopen(batch, timeout=30).read()
        except urllib.error.HTTPError as error:
            print(f"after {number / BATCHES:.0f} s: {error}")  # the api says that too much waits
            break
        # The pace, not a wait for something.
        time.sleep(max(0, began + number / BATCHES - time.monotonic()))
        if number % BATCHES == 0:
            said = urllib.request.urlopen(f"{url}/metrics", timeout=30).read().decode()
            counts = dict(re.findall(r"^(records_\w+) (\S+)$", said, flags=re.MULTILINE))
            found.append(int(float(counts["records_waiting"]) + float(counts["records_in_stream"])))
    print(f"{rate} a second for a minute took {time.monotonic() - began:.1f} s")
    return found


def main() -> None:
    found: dict[str, Any] = {"rows": longer_files()}
    write("growth", found)
    found["connections"] = more_connections()
    write("growth", found)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "ml-prod-demo"
        shutil.copytree(
            ROOT / "ml-prod-demo", folder, ignore=shutil.ignore_patterns(".secrets", "models")
        )
        found["backlog"] = more_predictions(folder)
    write("growth", found)


if __name__ == "__main__":
    main()
