"""Lab 5, from its files alone."""

from __future__ import annotations

import re

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
