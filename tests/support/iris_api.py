"""Lab 3's api as the tests start it: fixtures for a trained model, and for containers that serve it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
from docker_cli import LABEL, Container, docker
from inside import INSIDE, program

SERVE = "ml-prod-demo/serve"
TRAIN = "ml-prod-demo/train"
UID = os.getuid() or 1234

SETOSA = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
VERSICOLOR = {"sepal_length": 6.0, "sepal_width": 2.7, "petal_length": 4.2, "petal_width": 1.3}
VIRGINICA = {"sepal_length": 6.7, "sepal_width": 3.0, "petal_length": 5.8, "petal_width": 2.3}


@dataclass(frozen=True)
class Api:
    """A running api: the folder that is its /models, its container, its address on loopback."""

    models: Path
    container: Container
    url: str

    def get(self, path: str) -> dict:
        return httpx.get(self.url + path).json()

    def predict(self, body: object, path: str = "/predict") -> httpx.Response:
        return httpx.post(self.url + path, json=body, timeout=60)

    def metric(self, name: str, labels: str = "") -> float:
        """Return the value of the series whose labels contain `labels`; 0 when there is none."""
        text = httpx.get(f"{self.url}/metrics").text
        found = re.search(rf"^{name}(?:\{{[^}}]*{labels}[^}}]*\}})? (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0


def train_into(image: str, folder: Path, program: str | None = None) -> None:
    """Train into `folder` as the image does, or with a program of tests/inside."""
    options = [f"--volume={folder}:/models", f"--user={UID}:{UID}", "--label", LABEL]
    docker("run", "--rm", *options, *inside(program), image, *python(program))


def inside(program: str | None) -> list[str]:
    """Options of `docker run` that put a program of tests/inside beside train.py."""
    return [f"--volume={INSIDE}/{program}:/app/{program}:ro"] if program else []


def python(program: str | None) -> list[str]:
    return ["python", program] if program else []


def read_metrics(container: Container, port: int) -> str:
    """Return what a service shows to Prometheus, asked for inside its container."""
    return container.exec("python", "-c", program("read_metrics.py"), str(port)).stdout


def assert_no_input_makes_it_fail(url: str, *options: str) -> None:
    """Schemathesis asks what /openapi.json allows and forbids, and compares the answers with it."""
    schemathesis = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            schemathesis, "run", f"{url}/openapi.json", "--checks=all", "--max-examples=50",
            "--phases=examples,coverage,fuzzing", "--generation-deterministic", "--no-color", *options,
        ],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def start(image: str, models: Path, *options: str) -> Api:
    started = docker(
        "run", "--detach", "--label", LABEL, f"--user={UID}:{UID}", f"--volume={models}:/models:ro",
        "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--publish=127.0.0.1::8000", *options, image,
    )  # fmt: skip
    container = Container(started.stdout.strip())
    try:
        container.wait_healthy()
    except AssertionError:
        docker("rm", "--force", "--volumes", container.id)
        raise
    return Api(models, container, f"http://127.0.0.1:{container.host_port(8000)}")
