"""A trained model as files: model.onnx, the pipeline, and model.json, its card. predict.py reads both."""

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
import skl2onnx
import skops.io
from onnx import ModelProto
from predict import Model, ModelError, open_session
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from skl2onnx.sklapi import CastTransformer
from sklearn.pipeline import Pipeline

from trainer.data import Data, TrainError

ZIP_DEFLATED = 8


@dataclass(frozen=True)
class Trained:
    """A fitted pipeline with its configuration (configs/v1.yaml, ...) and its metrics on the test rows."""

    config: dict[str, Any]
    pipeline: Pipeline
    probability: np.ndarray  # (test rows,), of the positive label
    metrics: dict[str, float]
    onnx: ModelProto


def to_onnx(fitted: Pipeline, data: Data) -> ModelProto:
    """Return a pipeline of preprocess and classifier as ONNX: an input (rows, 1) a column, label and probabilities.

    Raises TrainError unless it can, and gives every row of the table the probabilities of `fitted`, to 1e-5.
    """
    numeric = [(name, DoubleTensorType([None, 1])) for name in data.config["numeric"]]
    categorical = [(name, StringTensorType([None, 1])) for name in data.config["categorical"]]
    # Scaled in double precision, then rounded as the trees of scikit-learn do: a number that equals a threshold would
    # take the other branch. https://onnx.ai/sklearn-onnx/auto_tutorial/plot_ebegin_float_double.html
    preprocess, classifier = fitted.named_steps.values()
    steps = [("preprocess", preprocess), ("round", CastTransformer()), ("classifier", classifier)]
    # Without zipmap the probabilities are one array, not a dictionary a row.
    try:
        onnx = skl2onnx.to_onnx(
            Pipeline(steps), initial_types=[*numeric, *categorical], options={"zipmap": False}
        )
    except (RuntimeError, NameError) as error:  # no converter; no option zipmap
        name = type(classifier).__name__
        raise TrainError(
            f"{name} cannot become ONNX: {str(error).strip().splitlines()[0]}"
        ) from None
    rows = np.concatenate([data.train, data.test])
    session = open_session(onnx.SerializeToString())
    (probabilities,) = session.run(["probabilities"], data.by_column(rows))
    difference = np.abs(probabilities - fitted.predict_proba(rows)).max()
    if not difference < 1e-5:
        raise TrainError(f"the ONNX model differs from scikit-learn's by {difference}")
    return onnx


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


def try_out(trained: Trained, data: Data) -> None:
    """Load a model as the service will. Raises TrainError when it would not be served."""
    with tempfile.TemporaryDirectory() as models:
        bake(trained, data, Path(models))
        try:
            Model.load(Path(models) / trained.config["version"])
        except ModelError as error:
            raise TrainError(f"{trained.config['version']}: {error.__cause__}") from None


def bake(trained: Trained, data: Data, models: Path) -> None:
    """Write a model folder."""
    folder = models / trained.config["version"]
    folder.mkdir(parents=True, exist_ok=True)
    with replace_file(folder / "model.onnx") as file:
        file.write(trained.onnx.SerializeToString())
    with replace_file(folder / "model.json") as file:
        file.write(card_of(trained, data).encode())


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
