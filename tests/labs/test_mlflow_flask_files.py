"""Lab 5, from its files alone, and the script that checks its ports."""

from __future__ import annotations

import re

from repository import ROOT

LAB = ROOT / "mlflow-flask"


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (LAB / name).read_text(), re.MULTILINE))


def test_training_and_serving_use_the_same_versions() -> None:
    """A model is only promised to load in the version of scikit-learn that wrote it."""
    serving, training = pins("requirements.txt"), pins("requirements-train.txt")
    both = set(serving) & set(training)
    assert {"scikit-learn", "skops", "numpy", "mlflow-skinny"} <= both
    assert {name: serving[name] for name in both} == {name: training[name] for name in both}


def test_client_and_server_of_mlflow_match() -> None:
    assert pins("requirements.txt")["mlflow-skinny"] == pins("requirements-mlflow.txt")["mlflow"]
