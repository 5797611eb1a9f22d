"""The model: verified against metrics.json, loaded, swapped when a new one has been trained."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import metrics
import numpy as np

POLL_SECONDS = 1.0
N_FEATURES = 4

log = logging.getLogger("api.model")


class ModelError(Exception):
    """The model cannot be loaded; the text says which file and why."""


class Outcome(NamedTuple):
    """What a model says about one flower."""

    class_index: int
    probabilities: list[float]


class Runtime(Protocol):
    """A model in the form of one library."""

    name: str
    classes: list[str]

    def predict(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Classify `rows`, (n, 4) float32 in cm: class indices (n,), probabilities (n, n_classes)."""


class OnnxRuntime:
    """Loading an ONNX file runs no code of whoever made it."""

    name = "onnx"

    def __init__(self, content: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # It would take a thread for each core of the host, whatever the container's cpu limit is; this model is
        # done before a second thread has woken up.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self.classes = json.loads(session.get_modelmeta().custom_metadata_map["target_names"])
        self._input = session.get_inputs()[0].name
        self._run = session.run

    def predict(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        labels, probabilities = self._run(None, {self._input: rows})
        return labels, probabilities


class SklearnRuntime:
    """Loading a joblib file runs whatever code its maker put there: only for files of your own."""

    name = "joblib"

    def __init__(self, content: bytes) -> None:
        import joblib

        saved = joblib.load(io.BytesIO(content))
        self.classes = list(saved["target_names"])
        self._labels = saved["model"].classes_
        self._predict_proba = saved["model"].predict_proba

    def predict(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        probabilities = self._predict_proba(rows)
        return self._labels[probabilities.argmax(axis=1)], probabilities


RUNTIMES: dict[str, type[OnnxRuntime | SklearnRuntime]] = {
    ".onnx": OnnxRuntime,
    ".joblib": SklearnRuntime,
}


@dataclass(frozen=True)
class Model:
    """A loaded model and what metrics.json says about it."""

    name: str
    sha256: str
    trained_at: str
    accuracy: float
    runtime: Runtime

    @property
    def version(self) -> str:
        return self.sha256[:12]

    @property
    def classes(self) -> list[str]:
        return self.runtime.classes

    def classify(self, features: tuple[float, ...]) -> Outcome:
        labels, probabilities = self.runtime.predict(np.array([features], np.float32))
        return Outcome(int(labels[0]), probabilities[0].tolist())

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "sha256": self.sha256,
            "trained_at": self.trained_at,
            "accuracy": self.accuracy,
            "classes": self.classes,
            "runtime": self.runtime.name,
        }


def load(path: Path) -> Model:
    """Load the model at `path` if the metrics.json beside it vouches for it. Raises ModelError."""
    beside = path.with_name("metrics.json")
    try:
        content = path.read_bytes()
        about = json.loads(beside.read_bytes())
        expected = about["files"][path.name]["sha256"]
        name, trained_at, accuracy = (
            str(about["name"]),
            str(about["trained_at"]),
            float(about["accuracy"]),
        )
    except OSError as error:
        raise ModelError(
            f"{error.filename}: {error.strerror}; the train service makes it"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{beside} says nothing usable about {path.name}: {error!r}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ModelError(
            f"{path} is not the file that {beside.name} describes: its sha256 is {found}"
        )
    try:
        runtime = RUNTIMES[path.suffix](content)
        labels, probabilities = runtime.predict(np.zeros((1, N_FEATURES), np.float32))
        fits = labels.shape == (1,) and probabilities.shape == (1, len(runtime.classes))
    except Exception as error:  # noqa: BLE001 - unpickling and graph loading raise anything at all
        raise ModelError(f"{path} is not a model that can be served: {error!r}") from None
    if not fits:
        raise ModelError(
            f"{path} does not give one class and its probabilities for {N_FEATURES} features"
        )
    return Model(name, found, trained_at, accuracy, runtime)


class ModelStore:
    """The model in service. `current` is read once a request, so a swap is one assignment."""

    def __init__(self, path: Path) -> None:
        """Raises ModelError when there is no model to start with."""
        self.path = path
        self.problem: str | None = None
        self._seen = self._suspect = self._stamp()
        self._serve(load(path))

    def _serve(self, model: Model) -> None:
        self.current = model
        self.problem = None
        metrics.show_model(model.name, model.version, model.runtime.name)
        log.info("serving", extra={"model": model.describe()})

    def _stamp(self) -> tuple:
        """What changes when either file is replaced."""
        stamp: list[tuple[int, int, int] | None] = []
        for path in (self.path, self.path.with_name("metrics.json")):
            try:
                status = path.stat()
                stamp.append((status.st_ino, status.st_mtime_ns, status.st_size))
            except OSError:
                stamp.append(None)
        return tuple(stamp)

    async def watch(self) -> None:
        """Look for a new model every POLL_SECONDS, for ever. Whatever is found there, the old one serves on."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.look()

    async def look(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        try:
            # In a thread: requests are answered meanwhile.
            model = await asyncio.to_thread(load, self.path)
        except ModelError as error:
            # The training renames two files one after the other, so for a moment they do not match:
            # only what is still wrong at the next look is a failure.
            if stamp == self._suspect:
                self._seen = stamp
                self.problem = str(error)
                metrics.SWAP_FAILURES.inc()
                log.error("model not swapped", extra={"reason": self.problem})
            self._suspect = stamp
        else:
            self._seen = stamp
            self._serve(model)
