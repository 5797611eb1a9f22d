"""Runs of lab 4: how the tests start them, under the lab's own restrictions, and what they read off them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from docker_cli import LABEL
from inside import INSIDE

HARDENED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none", "--init"]
HARDENED += ["--security-opt", "no-new-privileges:true", "--shm-size", "256m", "--label", LABEL]
OUTPUTS = {"checkpoint.pt", "loss.png", "metrics.json", "model.onnx", "model.safetensors"}


def options(folder: Path, env: dict[str, str], *more: str, uid: int | None = None) -> list[str]:
    """`docker run` options with `folder` as outputs, `folder/data` as the user's data, tests/inside at /inside."""
    (folder / "outputs").mkdir(exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    user = os.getuid() if uid is None else uid
    # Images this small are learnt no faster by two threads.
    cpus = env.get("NPROC", "1")
    return [
        *HARDENED, "--cpus", cpus, *more, "--user", f"{user}:{user}",
        "--volume", f"{folder}/outputs:/app/outputs", "--volume", f"{folder}/data:/data:ro",
        "--volume", f"{INSIDE}:/inside:ro", "--env", "PYTHONPATH=/app",
        *(word for name, value in env.items() for word in ("--env", f"{name}={value}")),
    ]  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """A run that came to its end. Nobody writes to its folder."""

    folder: Path
    stdout: str
    stderr: str


def rows(stdout: str) -> list[dict]:
    return [json.loads(line) for line in stdout.splitlines() if line.startswith("{")]


def metrics(folder: Path) -> dict:
    return json.loads((folder / "outputs/metrics.json").read_text())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "outputs").iterdir()}


def weights(folder: Path) -> bytes:
    return (folder / "outputs/model.safetensors").read_bytes()


def outcomes(inside: Callable[..., str], folder: Path, cases: dict[str, dict[str, str]]) -> dict:
    """Train with each case's environment, on the arrays of gpu_train_arrays.py: exit code, standard error, files."""
    return json.loads(
        inside("gpu_train_outcomes.py", json.dumps(cases), folder=folder).splitlines()[-1]
    )
