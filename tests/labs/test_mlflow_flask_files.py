"""Lab 5, from its files alone, and the script that checks its ports."""

from __future__ import annotations

import os
import re
import socket
import subprocess

from docker_cli import free_port
from repository import ROOT

LAB = ROOT / "mlflow-flask"


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (LAB / name).read_text(), re.MULTILINE))


def test_training_and_serving_use_the_same_versions() -> None:
    """What training compared with scikit-learn, to the last row, is what serving computes."""
    serving, training = pins("requirements.txt"), pins("requirements-train.txt")
    both = set(serving) & set(training)
    assert {"onnxruntime", "numpy", "requests"} <= set(serving)
    assert "numpy" in both
    assert {name: serving[name] for name in both} == {name: training[name] for name in both}


def test_serving_needs_neither_scikit_learn_nor_mlflow() -> None:
    serving, training = pins("requirements.txt"), pins("requirements-train.txt")
    only_training = {
        "scikit-learn",
        "scipy",
        "skops",
        "skl2onnx",
        "onnx",
        "pandas",
        "mlflow-skinny",
    }
    assert only_training <= set(training)
    assert not only_training & set(serving)


def test_client_and_server_of_mlflow_match() -> None:
    client = pins("requirements-train.txt")["mlflow-skinny"]
    assert client == pins("requirements-mlflow.txt")["mlflow"]


def test_a_taken_port_gets_one_clear_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        for variable in ("PORT", "MLFLOW_PORT"):
            env = {
                **os.environ,
                "PORT": str(free_port()),
                "MLFLOW_PORT": str(free_port()),
                variable: port,
            }
            env["COMPOSE_PROJECT_NAME"] = "labtest-none"
            done = subprocess.run(
                [ROOT / "setup" / "lab5.sh", "ports"], env=env, capture_output=True, text=True, check=False
            )  # fmt: skip
            assert done.returncode != 0
            assert f"port {port} is taken" in done.stderr
            assert f"'{variable}=" in done.stderr
            assert len(done.stderr.splitlines()) == 1
