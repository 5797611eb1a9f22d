"""The model: checked against metrics.json, loaded, and swapped when a new one has been trained."""

import asyncio
import hashlib
import io
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from schema import Iris
from service import metrics

POLL_SECONDS = 1.0

log = logging.getLogger("api.model")

# Classifies rows, (n, 4) float32 in cm: class indices (n,), probabilities (n, n_classes).
Predict = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class ModelError(Exception):
    """The model cannot be loaded; the text says which file and why."""


def from_onnx(content: bytes) -> tuple[list[str], Predict]:
    """Return the class names and the model. Loading an ONNX file runs no code of whoever made it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread: this model is done before a second one has woken up.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options)
    classes = json.loads(session.get_modelmeta().custom_metadata_map["target_names"])
    return classes, lambda rows: session.run(None, {"X": rows})


def from_joblib(content: bytes) -> tuple[list[str], Predict]:
    """As `from_onnx`, but this runs whatever code the file's maker put there: only for files of your own."""
    import joblib

    saved = joblib.load(io.BytesIO(content))

    def predict(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        probabilities = saved["model"].predict_proba(rows)
        return probabilities.argmax(axis=1), probabilities

    return list(saved["target_names"]), predict


LOADERS = {".onnx": from_onnx, ".joblib": from_joblib}


@dataclass(frozen=True)
class Model:
    """A model that was loaded and tried. `about` is what GET /model says of it."""

    classes: list[str]
    predict: Predict
    about: dict


def load(path: Path) -> Model:
    """Load the model at `path` if the metrics.json beside it vouches for it. Raises ModelError."""
    try:
        content = path.read_bytes()
        metrics_json = json.loads(path.with_name("metrics.json").read_bytes())
        about = {key: metrics_json[key] for key in ("name", "trained_at", "accuracy")}
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 != metrics_json["files"][path.name]["sha256"]:
            raise ValueError("it is not the file that metrics.json describes, by its sha256")
        classes, predict = LOADERS[path.suffix](content)
        # Tried once: a model for other inputs fails here, and not at the first request.
        _, probabilities = predict(np.zeros((1, len(Iris.model_fields)), np.float32))
        dict(zip(classes, probabilities[0], strict=True))
    except OSError as error:
        raise ModelError(
            f"{error.filename}: {error.strerror}; the train service makes it"
        ) from None
    except Exception as error:  # noqa: BLE001 - an unknown file raises anything at all
        raise ModelError(f"{path} cannot be served: {error!r}") from None
    about |= {"version": sha256[:12], "sha256": sha256, "classes": classes}
    return Model(classes, predict, {**about, "runtime": path.suffix.removeprefix(".")})


class ModelStore:
    """The model in service. A request reads `current` once, so a swap is one assignment."""

    def __init__(self, path: Path) -> None:
        """Raises ModelError when there is no model to start with."""
        self.path = path
        self._served = self._stamp()
        self._serve(load(path))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        watcher = asyncio.create_task(self._watch())
        yield
        watcher.cancel()

    def classify(self, rows: list[tuple[float, ...]]) -> tuple[Model, list[int], list[list[float]]]:
        """Return the model that was asked, and for each row its class index and its probabilities."""
        model = self.current
        labels, probabilities = model.predict(np.array(rows, np.float32))
        for label, count in Counter(labels.tolist()).items():
            metrics.PREDICTIONS.labels(model.classes[label]).inc(count)
        return model, labels.tolist(), probabilities.tolist()

    def _serve(self, model: Model) -> None:
        self.current = model
        self.problem: str | None = None
        metrics.MODEL_INFO.clear()
        about = {label: model.about[label] for label in ("name", "version", "runtime")}
        metrics.MODEL_INFO.labels(**about).set(1)
        for name in model.classes:
            metrics.PREDICTIONS.labels(name)  # 0 until there is one, and not absent
        log.info("serving", extra={"model": model.about})

    def _stamp(self) -> list[tuple[int, int] | None]:
        """Return what changes when the model or metrics.json is replaced."""
        files = (self.path, self.path.with_name("metrics.json"))
        found = [path.stat() if path.exists() else None for path in files]
        return [status and (status.st_ino, status.st_mtime_ns) for status in found]

    async def _watch(self) -> None:
        """Take every new model into service, for ever. Whatever is found, the old one serves until then."""
        before = self._served
        while True:
            await asyncio.sleep(POLL_SECONDS)
            now = self._stamp()
            # Twice the same: the training replaces two files one after the other, and may be in between.
            if now == before and now != self._served:
                self._served = now
                await self._swap()
            before = now

    async def _swap(self) -> None:
        try:
            # In a thread: requests are answered meanwhile.
            self._serve(await asyncio.to_thread(load, self.path))
        except ModelError as error:
            self.problem = str(error)
            metrics.SWAP_FAILURES.inc()
            log.error("model not swapped", extra={"reason": self.problem})
