"""Train the iris classifier and hand it to the api: two forms of one model, and metrics.json about them."""

import fcntl
import hashlib
import io
import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import joblib
import numpy as np
import onnxruntime
import skl2onnx
import sklearn
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
MODELS = Path("/models")


def to_onnx(model: LogisticRegression, target_names: list[str], rows: np.ndarray) -> bytes:
    """Return the model as ONNX: input X (n, 4) float32 in cm, outputs labels (n,) and probabilities (n, 3).

    Raises ValueError unless it gives all `rows` the classes and (to 1e-5) the probabilities that `model` gives.
    """
    rows = rows.astype(np.float32)
    # Without zipmap the probabilities are one array, not a dictionary a row.
    graph = skl2onnx.to_onnx(model, rows[:1], options={id(model): {"zipmap": False}})
    graph.metadata_props.add(key="target_names", value=json.dumps(target_names))
    onnx = graph.SerializeToString()
    labels, probabilities = onnxruntime.InferenceSession(onnx).run(None, {"X": rows})
    same = np.allclose(probabilities, model.predict_proba(rows), atol=1e-5)
    if not same or not np.array_equal(labels, model.predict(rows)):
        raise ValueError("the ONNX model does not agree with the scikit-learn model")
    return onnx


@contextmanager
def replace_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of `path` once it is whole; on an error the old one stays."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)  # of a training that was killed, maybe another user's
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def save(folder: Path, files: dict[str, bytes]) -> None:
    """Write `files` (name: content) into `folder`, in their order. Raises OSError."""
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # two trainings at once save one after the other
    for name, content in files.items():
        with replace_file(folder / name) as file:
            file.write(content)
    os.close(lock)


def main() -> None:
    iris = load_iris()
    classes = [str(name) for name in iris.target_names]
    x_train, x_test, y_train, y_test = train_test_split(
        iris.data, iris.target, test_size=0.2, stratify=iris.target, random_state=42
    )
    model = LogisticRegression(max_iter=200).fit(x_train, y_train)
    forest = RandomForestClassifier(random_state=42).fit(x_train, y_train)
    accuracy = float(model.score(x_test, y_test))

    joblib_file = io.BytesIO()
    joblib.dump({"model": forest, "target_names": classes}, joblib_file)
    files = {
        "iris_logreg.joblib": joblib_file.getvalue(),
        "iris_logreg.onnx": to_onnx(model, classes, iris.data),
    }
    metrics = {
        "name": "iris_logreg",
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "accuracy": accuracy,
        "train_rows": len(x_train),
        "test_rows": len(x_test),
        "features": FEATURES,
        "classes": classes,
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        },
        "versions": {"python": platform.python_version(), "scikit-learn": sklearn.__version__},
    }
    # metrics.json goes last: what it does not vouch for, the api does not load.
    files["metrics.json"] = (json.dumps(metrics, indent=2) + "\n").encode()
    try:
        save(MODELS, files)
    except OSError as error:
        sys.exit(f"error: cannot write to {MODELS}: {error.strerror}; a writable volume is needed")
    print(f"Test accuracy: {accuracy:.3f}")


if __name__ == "__main__":
    main()
