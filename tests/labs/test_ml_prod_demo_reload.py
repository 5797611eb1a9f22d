"""Lab 3, the api: a new model is taken into service under load, a damaged one never."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from iris_api import SERVE, SETOSA, TRAIN, VERSICOLOR, Api, train_into
from load import Load

pytest_plugins = ["iris_fixtures"]


def test_swaps_the_model_under_load(
    serve: Callable[..., Api], image_of: Callable, models: Path
) -> None:
    api = serve()
    old = api.get("/model")

    async def swap() -> Load:
        async with Load(f"{api.url}/predict", VERSICOLOR) as load:
            await load.until_answered(100)
            await asyncio.to_thread(train_into, image_of(TRAIN), models, "train_another.py")
            swapped = asyncio.to_thread(
                api.container.wait_until, lambda: api.get("/model")["sha256"] != old["sha256"], 15
            )
            await swapped
            await load.until_answered(100)
        return load

    load = asyncio.run(swap())

    assert not load.failed
    assert len({answer["probabilities"]["versicolor"] for answer in load.answers}) == 2
    new = api.get("/model")
    assert new["trained_at"] >= old["trained_at"]
    assert api.get("/ready")["problem"] is None
    assert api.metric("model_swap_failures_total") == 0
    assert api.metric("model_info", f'version="{old["version"]}"') == 0


def test_a_model_that_counts_its_classes_from_one_gets_their_names(
    serve: Callable[..., Api], image_of: Callable, models: Path
) -> None:
    train_into(image_of(TRAIN), models, "train_from_one.py")
    assert serve().predict(SETOSA).json()["predicted_class_name"] == "setosa"


def truncate(models: Path) -> None:
    content = (models / "iris_logreg.onnx").read_bytes()
    (models / "iris_logreg.onnx").write_bytes(content[:-100])


def rename_a_class(models: Path) -> None:
    """Still a model, but not the one that was trained."""
    content = (models / "iris_logreg.onnx").read_bytes()
    (models / "iris_logreg.onnx").write_bytes(content.replace(b"setosa", b"SETOSA"))


def make_foreign(models: Path) -> None:
    (models / "iris_logreg.onnx").write_bytes(b"a file of somebody else")


def make_foreign_and_vouch(models: Path) -> None:
    make_foreign(models)
    metrics = json.loads((models / "metrics.json").read_text())
    sha256 = hashlib.sha256((models / "iris_logreg.onnx").read_bytes()).hexdigest()
    metrics["files"]["iris_logreg.onnx"]["sha256"] = sha256
    (models / "metrics.json").write_text(json.dumps(metrics))


def remove_model(models: Path) -> None:
    (models / "iris_logreg.onnx").unlink()


def remove_metrics(models: Path) -> None:
    (models / "metrics.json").unlink()


def break_metrics(models: Path) -> None:
    (models / "metrics.json").write_text('{"files": []}')


def say_of_the_training(models: Path, field: str, value: str) -> None:
    """Put `value`, as JSON, into metrics.json, which goes on vouching for the model."""
    metrics = json.loads((models / "metrics.json").read_text())
    text = json.dumps({**metrics, field: "PLACE"}).replace('"PLACE"', value)
    (models / "metrics.json").write_text(text)


def be_better_than_all(models: Path) -> None:
    say_of_the_training(models, "accuracy", str(10**400))


def nest(models: Path) -> None:
    """Deep enough to be read, and too deep to be written."""
    say_of_the_training(models, "name", "[" * 900 + "]" * 900)


def nest_deeply(models: Path) -> None:
    say_of_the_training(models, "name", "[" * 10_000 + "]" * 10_000)


def make_huge(models: Path) -> None:
    """2 GB, which take no room on the disk: four times the memory of the container."""
    with (models / "iris_logreg.onnx").open("r+b") as file:
        file.truncate(2_000_000_000)


def make_metrics_huge(models: Path) -> None:
    with (models / "metrics.json").open("r+b") as file:
        file.truncate(2_000_000_000)


def make_endless(models: Path) -> None:
    """A pipe: who reads it waits for a writer."""
    remove_model(models)
    os.mkfifo(models / "iris_logreg.onnx")


DAMAGES = [
    truncate, rename_a_class, make_foreign, make_foreign_and_vouch, remove_model, remove_metrics,
    break_metrics, make_huge,
]  # fmt: skip
# Each stopped the watcher, or the whole api, for good.
MEANT_BADLY = [be_better_than_all, nest, nest_deeply, make_metrics_huge, make_endless]


def has_failed(api: Api, times: int) -> bool:
    return api.metric("model_swap_failures_total") == times


def test_a_damaged_model_is_not_taken_into_service(
    serve: Callable[..., Api], image_of: Callable, trained: Path, models: Path
) -> None:
    api = serve("--memory=512m")
    version = api.get("/model")["version"]

    for failures, damage in enumerate(DAMAGES + MEANT_BADLY, start=1):
        damage(models)
        api.container.wait_until(partial(has_failed, api, failures))
        ready = api.get("/ready")
        assert (ready["status"], ready["model_version"]) == ("ready", version), damage.__name__
        assert "/models/" in ready["problem"]
        assert api.predict(SETOSA).json()["predicted_class_name"] == "setosa"
        for path in trained.iterdir():
            (models / path.name).unlink(missing_ok=True)
            shutil.copy(path, models)
        api.container.wait_until(lambda: api.get("/ready")["problem"] is None)

    train_into(image_of(TRAIN), models, "train_another.py")
    api.container.wait_until(lambda: api.get("/model")["version"] != version)


@pytest.mark.parametrize("damage", DAMAGES)
def test_does_not_start_with_a_damaged_model(
    run_once: Callable, image_of: Callable, models: Path, damage: Callable[[Path], None]
) -> None:
    damage(models)

    done = run_once(image_of(SERVE), options=["--memory=512m", f"--volume={models}:/models:ro"])

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "/models/" in done.stderr
