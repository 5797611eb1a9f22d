"""Lab 3, training: what it writes, for whom, and what is left when it is killed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from iris_api import TRAIN, inside, python

FILES = {"iris_logreg.joblib", "iris_logreg.onnx", "metrics.json"}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """An empty folder that any uid can write to, for /models."""
    folder = tmp_path / "models"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture
def train(image_of: Callable, run_once: Callable, models: Path) -> Callable:
    """`train(program, "--env=...", uid=1000)` runs the image, or a program of tests/inside, hardened as in compose.yaml."""

    def start(program: str | None = None, *more: str, uid: int = 1000):
        options = [
            f"--volume={models}:/models",
            f"--user={uid}:{uid}",
            "--read-only",
            "--tmpfs=/tmp",
            "--cap-drop=ALL",
            "--init",  # a first process could not kill itself
            *inside(program),
            *more,
        ]
        return run_once(image_of(TRAIN), *python(program), options=options)

    return start


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name in FILES}


@pytest.mark.parametrize("uid", [0, 1000, 65534])
def test_trains_and_saves_as_any_user(train: Callable, models: Path, uid: int) -> None:
    done = train(uid=uid)

    assert (done.returncode, done.stdout) == (0, "Test accuracy: 0.967\n"), done.stderr
    assert {path.name for path in models.iterdir()} == FILES
    assert {path.stat().st_uid for path in models.iterdir()} == {uid}


def test_metrics_describe_the_files(train: Callable, models: Path) -> None:
    assert train().returncode == 0

    metrics = json.loads((models / "metrics.json").read_text())
    assert round(metrics["accuracy"], 3) == 0.967
    assert (metrics["train_rows"], metrics["test_rows"]) == (120, 30)
    assert metrics["classes"] == ["setosa", "versicolor", "virginica"]
    assert metrics["trained_at"].endswith("+00:00")
    assert metrics["versions"]["scikit-learn"]
    assert set(metrics["files"]) == FILES - {"metrics.json"}
    for name, about in metrics["files"].items():
        content = (models / name).read_bytes()
        assert about == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_both_forms_agree_on_every_iris_row(train: Callable) -> None:
    assert train().returncode == 0

    assert train("compare_models.py").stdout == "150 150 True\n"


def test_another_user_can_train_again(train: Callable, models: Path) -> None:
    assert train(uid=1000).returncode == 0

    done = train(uid=65534)

    assert done.returncode == 0, done.stderr
    assert {path.stat().st_uid for path in models.iterdir()} == {65534}


@pytest.mark.parametrize(("renames", "replaced"), [(0, set()), (2, FILES - {"metrics.json"})])
def test_killed_while_saving(
    train: Callable, models: Path, renames: int, replaced: set[str]
) -> None:
    assert train().returncode == 0
    before = {path.name: path.stat().st_ino for path in models.iterdir()}
    metrics = (models / "metrics.json").read_bytes()

    done = train("train_killed.py", f"--env=RENAMES={renames}")

    assert done.returncode == 137
    now = {path.name: path.stat().st_ino for path in models.iterdir() if path.name in FILES}
    assert {name for name in FILES if now[name] != before[name]} == replaced
    assert (models / "metrics.json").read_bytes() == metrics, (
        "the old files are still the ones vouched for"
    )

    assert train().returncode == 0
    assert {path.name for path in models.iterdir()} == FILES, "the next training tidies up"


def test_says_in_one_line_that_it_cannot_write(train: Callable, models: Path) -> None:
    models.chmod(0o555)

    done = train(uid=65534)

    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "/models" in done.stderr
    assert "Permission denied" in done.stderr
