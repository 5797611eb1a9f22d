"""What the benchmarks share: containers that serve until they are measured, their memory, load, results."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


def docker(*arguments: object) -> str:
    done = subprocess.run(
        ["docker", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"docker {arguments[0]} failed\n{done.stderr}")
    return done.stdout.strip()


def build(tag: str, *options: object) -> str:
    """Build with the layers that are there; return the tag."""
    docker("build", "--quiet", "--tag", tag, *options)
    return tag


def program(name: str) -> str:
    """Return the text of inside/NAME, for `python -c` in a container that cannot see this folder."""
    return (HERE / "inside" / name).read_text()


def image_mb(tag: str) -> float:
    layers = docker("history", "--human=false", "--format", "{{.Size}}", tag).split()
    return sum(map(int, layers)) / 1e6


def versions(image: str, requirements: Path) -> dict[str, str]:
    """What pip installed in an image for the names in a file: package and version."""
    listed = json.loads(docker("run", "--rm", image, "pip", "list", "--format=json"))
    asked = requirements.read_text().split()
    return {package["name"]: package["version"] for package in listed if package["name"] in asked}


@dataclass(frozen=True)
class Served:
    """A container that answers: its address, and the seconds from `docker run` to its first good answer."""

    container: str
    url: str
    ready_s: float

    def peak_mib(self) -> float:
        return int(docker("exec", self.container, "python", "-c", program("peak.py"))) / 1024


@contextmanager
def served(image: str, port: int, path: str, *options: object) -> Iterator[Served]:
    """Run an image with one cpu and 512 MB until the block ends; `path` answers 200 once it is ready.

    The address is the container's own, so Linux only: Docker's proxy for published ports would take part.
    """
    started = time.perf_counter()
    limits = ("--cpus", "1", "--memory", "512m")
    # A health check would take its part of the one cpu, from the images that have one alone.
    container = docker("run", "--detach", "--no-healthcheck", *limits, *options, image)
    try:
        address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        url = f"http://{docker('inspect', '--format', address, container)}:{port}"
        while not answers(f"{url}{path}"):
            if time.perf_counter() - started > 180:
                raise SystemExit(f"{image} does not answer\n{docker('logs', container)}")
            time.sleep(0.02)
        yield Served(container, url, time.perf_counter() - started)
    finally:
        docker("rm", "--force", "--volumes", container)


def answers(url: str) -> bool:
    try:
        return urllib.request.urlopen(url, timeout=1).status == 200
    except (OSError, urllib.error.URLError):
        return False


def wrk(url: str, body: object, seconds: int, connections: int) -> dict[str, float]:
    """POST a body as JSON over and over; return requests per second and percentiles in milliseconds."""
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
    (rate,) = re.findall(r"Requests/sec:\s+(\S+)", said)
    return {
        "requests_per_second": float(rate),
        "p50_ms": in_ms(percentiles["50"]),
        "p99_ms": in_ms(percentiles["99"]),
    }


def in_ms(text: str) -> float:
    ((number, unit),) = re.findall(r"^([\d.]+)(\w+)$", text)
    return round(float(number) * MILLISECONDS[unit], 3)


def in_turn(
    rounds: int, versions: Mapping[str, Callable[[], dict[str, float]]]
) -> dict[str, list[dict[str, float]]]:
    """Measure every version once before any gets its next turn; return what each came to, by round."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in versions}
    for _ in range(rounds):
        for name, measure in versions.items():
            runs[name].append(measure())
    return runs


def medians(runs: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Of each version's runs, the median of every number."""
    return {
        name: {key: statistics.median(run[key] for run in done) for key in done[0]}
        for name, done in runs.items()
    }


def rounded(value: object) -> object:
    """Four digits of every number: the rest is noise, and would change in git with every run."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def engine() -> str:
    """The version of the engine; a benchmark of the GPU may run where there is none."""
    return docker("version", "--format={{.Server.Version}}") if shutil.which("docker") else "none"


def write(name: str, content: dict) -> None:
    """Write results/NAME.json; what is called `naive` and `ours` in it is for the README's table."""
    about = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "engine": os.environ.get("ENGINE") or engine(),
        "date": date.today().isoformat(),
        "commit": os.environ.get("COMMIT") or "by hand",
    }
    text = json.dumps(rounded({**content, **about}), indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n")
