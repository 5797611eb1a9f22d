"""The model: checked against metrics.json, loaded, and swapped when a new one has been trained."""

import asyncio
import hashlib
import io
import json
import logging
import stat
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from schema import Iris
from service import metrics, tasks

POLL_SECONDS = 1.0
# What is longer is not read: it would not fit into the container's memory.
MAX_MODEL_BYTES = 64 * 1024 * 1024
MAX_METRICS_BYTES = 64 * 1024

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

    def predict(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # By position, as with joblib: the labels of a model may be words, or begin with 1.
        _, probabilities = session.run(None, {"X": rows})
        return probabilities.argmax(axis=1), probabilities

    return classes, predict


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


Text = Annotated[str, Field(min_length=1, max_length=100)]
CLASSES = TypeAdapter(Annotated[list[Text], Field(min_length=1, max_length=100)])


class File(BaseModel):
    sha256: Text


class Training(BaseModel):
    """What is used of metrics.json."""

    name: Text
    trained_at: Text
    accuracy: Annotated[float, Field(ge=0, le=1)]
    files: dict[str, File]


def read(path: Path, limit: int) -> bytes:
    """Return what is in the file. Raises OSError, or ValueError when it has more than `limit` bytes, or is no file."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
        raise ValueError(f"{path.name} is no file of up to {limit} bytes")
    return path.read_bytes()


def load(path: Path) -> Model:
    """Load the model at `path` if the metrics.json beside it vouches for it. Raises ModelError."""
    try:
        content = read(path, MAX_MODEL_BYTES)
        metrics_json = read(path.with_name("metrics.json"), MAX_METRICS_BYTES)
        training = Training.model_validate_json(metrics_json)
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 != training.files[path.name].sha256:
            raise ValueError("it is not the file that metrics.json describes, by its sha256")
        classes, predict = LOADERS[path.suffix](content)
        CLASSES.validate_python(classes)
        # Tried once: a model for other inputs fails here, and not at the first request.
        _, probabilities = predict(np.zeros((1, len(Iris.model_fields)), np.float32))
        dict(zip(classes, probabilities[0], strict=True))
    except OSError as error:
        raise ModelError(
            f"{error.filename}: {error.strerror}; the train service makes it"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise ModelError(
            f"{path} cannot be served: {field} in what describes it: {first['msg']}"
        ) from None
    except Exception as error:  # noqa: BLE001 - an unknown file raises anything at all
        raise ModelError(f"{path} cannot be served: {error!r}") from None
    about = training.model_dump(exclude={"files"})
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
        self._before = self._served
        watcher = asyncio.create_task(tasks.supervise("model watcher", self._look))
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

    async def _look(self) -> None:
        """Take a new model into service if there is one. Whatever is found, the old one serves until then."""
        await asyncio.sleep(POLL_SECONDS)
        # In a thread: a folder on a file server that hangs keeps no request waiting.
        now = await asyncio.to_thread(self._stamp)
        # Twice the same: the training replaces two files one after the other, and may be in between.
        if now == self._before and now != self._served:
            await self._swap()
            self._served = now
        self._before = now

    async def _swap(self) -> None:
        try:
            # In a thread: requests are answered meanwhile.
            self._serve(await asyncio.to_thread(load, self.path))
        except ModelError as error:
            self.problem = str(error)
            metrics.SWAP_FAILURES.inc()
            log.error("model not swapped", extra={"reason": self.problem})
