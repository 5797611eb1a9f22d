"""A trained model as files: model.skops, the pipeline, and model.json, its card. predict.py reads both."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import skops.io
from predict import Model
from sklearn.pipeline import Pipeline

from trainer.data import Data

ZIP_DEFLATED = 8


@dataclass(frozen=True)
class Trained:
    """A fitted pipeline with its configuration (configs/v1.yaml, ...) and its metrics on the test rows."""

    config: dict[str, Any]
    pipeline: Pipeline
    probability: np.ndarray  # (test rows,), of the positive label
    metrics: dict[str, float]


def card_of(trained: Trained, data: Data) -> str:
    """Return model.json: what the model accepts, what it was trained on, how good it is."""
    categories = data.preprocess.named_transformers_["categorical"].categories_
    card = {
        "version": trained.config["version"],
        "classifier": trained.config["classifier"],
        "metrics": trained.metrics,
        "data_sha256": data.sha256,
        "numeric": data.config["numeric"],
        "categorical": {
            name: list(map(str, values))
            for name, values in zip(data.config["categorical"], categories, strict=True)
        },
        "labels": list(map(str, data.encoder.classes_)),
        "positive": data.config["positive"],
    }
    return json.dumps(card, indent=2) + "\n"


def bake(trained: Trained, data: Data, models: Path) -> None:
    """Write a model folder; load it as the service will before it takes the place of the old one."""
    folder = models / trained.config["version"]
    card = card_of(trained, data)
    with tempfile.TemporaryDirectory() as tried:
        skops.io.dump(trained.pipeline, Path(tried) / "model.skops")
        (Path(tried) / "model.json").write_text(card)
        Model.load(Path(tried))
    dump(trained.pipeline, folder / "model.skops")
    with replace_file(folder / "model.json") as file:
        file.write(card.encode())


def dump(fitted: Any, path: Path) -> None:
    """Write something fitted as a compressed skops file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as file:
        skops.io.dump(fitted, file, compression=ZIP_DEFLATED)


@contextmanager
def replace_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of `path` once it is whole; on an error the old one stays."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
