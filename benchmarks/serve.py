"""Load the api of lab 3 and the naive version of it with requests, in turn, on this machine.

    python benchmarks/serve.py

Needs Docker and wrk. Each version runs in a container with one cpu and 512 MB, alone; wrk asks over 16 connections from
the host, straight at the container's address (so Linux only): Docker's proxy for published ports would take more of the
other core than wrk does, and the same from every version. Rounds go through all versions before any gets its next turn; the
median of the rounds stands in the table, all of them are in results/serve.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAB = HERE.parent / "ml-prod-demo"
BUILDS = {
    "naive": [HERE / "naive" / "ml-prod-demo"],
    "onnx": [LAB / "serve"],
    "joblib": ["--target", "joblib", LAB / "serve"],
}
CONNECTIONS = 16
BATCH_ROWS = 10_000
FLOWER = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


def docker(*arguments: object) -> str:
    done = subprocess.run(
        ["docker", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"docker {arguments[0]} failed\n{done.stderr}")
    return done.stdout.strip()


@contextmanager
def served(image: str, models: Path):
    """Yield (address, seconds from `docker run` until the first good answer) of a new container."""
    started = time.perf_counter()
    container = docker(
        "run", "--detach", "--rm", "--cpus", "1", "--memory", "512m",
        "--mount", f"type=bind,source={models},target=/models,readonly", image,
    )  # fmt: skip
    try:
        address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        url = f"http://{docker('inspect', '--format', address, container)}:8000"
        while not answers(f"{url}/ready"):
            if time.perf_counter() - started > 60:
                raise SystemExit(f"{image} does not answer\n{docker('logs', container)}")
            time.sleep(0.02)
        yield url, time.perf_counter() - started
    finally:
        docker("kill", container)


def answers(url: str) -> bool:
    try:
        return urllib.request.urlopen(url, timeout=1).status == 200
    except (OSError, urllib.error.URLError):
        return False


def wrk(url: str, body: object, seconds: int, connections: int) -> dict[str, float]:
    """Return requests per second and latency percentiles in milliseconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.body = [[{json.dumps(body)} ]]\n")
        script.write("wrk.headers['Content-Type'] = 'application/json'\n")
        script.flush()
        said = subprocess.run(
            ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s",
             "--latency", "--timeout=30s", f"--script={script.name}", url],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"{url}: not every answer was good\n{said}")
    percentiles = dict(re.findall(r"(50|99)%\s+(\S+)", said))
    return {
        "requests_per_second": float(re.search(r"Requests/sec:\s+(\S+)", said)[1]),
        "p50_ms": in_ms(percentiles["50"]),
        "p99_ms": in_ms(percentiles["99"]),
    }


def in_ms(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", text).groups()
    return round(float(number) * MILLISECONDS[unit], 3)


def measure(name: str, image: str, models: Path, seconds: int) -> dict[str, float]:
    with served(image, models) as (url, ready_seconds):
        wrk(f"{url}/predict", FLOWER, 2, CONNECTIONS)  # warm up
        result = {"ready_seconds": ready_seconds}
        result |= wrk(f"{url}/predict", FLOWER, seconds, CONNECTIONS)
        if name != "naive":
            body = {"rows": [FLOWER] * BATCH_ROWS}
            batch = wrk(f"{url}/predict/batch", body, seconds, 2)
            result["batch_rows_per_second"] = batch["requests_per_second"] * BATCH_ROWS
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement (default: 10)")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    images = {name: f"bench-serve-{name}" for name in BUILDS}
    for name, options in BUILDS.items():
        docker("build", "--quiet", "--tag", images[name], *options)
    docker("build", "--quiet", "--tag", "bench-serve-train", LAB / "train")

    runs: dict[str, list[dict[str, float]]] = {name: [] for name in BUILDS}
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        models.chmod(0o755)
        owner = f"{os.getuid()}:{os.getgid()}"
        docker("run", "--rm", "--user", owner, "--volume", f"{models}:/models", "bench-serve-train")
        for _ in range(arguments.rounds):
            for name, image in images.items():
                runs[name].append(measure(name, image, models, arguments.seconds))

    table = {
        name: {key: statistics.median(run[key] for run in done) for key in done[0]}
        for name, done in runs.items()
    }
    for name, row in table.items():
        row["image_mb"] = int(docker("image", "inspect", "-f", "{{.Size}}", images[name])) / 1e6
        row["times_naive"] = row["requests_per_second"] / table["naive"]["requests_per_second"]
        if "batch_rows_per_second" in row:
            row["batch_times_single"] = row["batch_rows_per_second"] / row["requests_per_second"]

    print(f"{CONNECTIONS} connections, one cpu a container; median of {arguments.rounds} rounds\n")
    head = ("", "req/s", "x naive", "p50 ms", "p99 ms", "batch rows/s", "x single", "MB", "ready s")
    print("{:<8}{:>8}{:>9}{:>8}{:>8}{:>14}{:>10}{:>6}{:>9}".format(*head))
    for name, row in table.items():
        batch, times = row.get("batch_rows_per_second"), row.get("batch_times_single")
        print(
            f"{name:<8}{row['requests_per_second']:>8.0f}{row['times_naive']:>9.1f}"
            f"{row['p50_ms']:>8.1f}{row['p99_ms']:>8.1f}"
            f"{f'{batch:,.0f}' if batch else '-':>14}{f'{times:.0f}' if times else '-':>10}"
            f"{row['image_mb']:>6.0f}{row['ready_seconds']:>9.2f}"
        )

    results = HERE / "results" / "serve.json"
    results.parent.mkdir(exist_ok=True)
    about = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    content = {"machine": about, "connections": CONNECTIONS, "median": table, "rounds": runs}
    results.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
