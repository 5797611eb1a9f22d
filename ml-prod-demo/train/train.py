"""Train the iris classifier and hand it to the api: two forms of one model, and metrics.json about them."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
import skl2onnx
import sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

NAME = "iris_logreg"
FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
MODELS = Path("/models")


def train() -> tuple[LogisticRegression, list[str], dict]:
    """Fit on 80 % of iris, keep 20 % for the test: (model, class names, {"accuracy": 0..1, "..._rows": n})."""
    iris = load_iris()
    x_train, x_test, y_train, y_test = train_test_split(
        iris.data, iris.target, test_size=0.2, stratify=iris.target, random_state=42
    )
    model = LogisticRegression(max_iter=200).fit(x_train, y_train)
    scores = {
        "accuracy": float(model.score(x_test, y_test)),
        "train_rows": len(x_train),
        "test_rows": len(x_test),
    }
    return model, [str(name) for name in iris.target_names], scores


def to_joblib(model: LogisticRegression, target_names: list[str]) -> bytes:
    file = io.BytesIO()
    joblib.dump({"model": model, "target_names": target_names}, file)
    return file.getvalue()


def to_onnx(model: LogisticRegression, target_names: list[str]) -> bytes:
    """Return the model as ONNX: input (n, 4) float32 in cm, outputs labels (n,) and probabilities (n, 3)."""
    # Without zipmap the probabilities are one array, not a dictionary a row.
    options = {id(model): {"zipmap": False}}
    graph = skl2onnx.to_onnx(model, np.zeros((1, len(FEATURES)), np.float32), options=options)
    graph.metadata_props.add(key="target_names", value=json.dumps(target_names))
    return graph.SerializeToString()


def check_agreement(model: LogisticRegression, onnx: bytes) -> None:
    """Raise ValueError unless both forms give every iris row the same class and (to 1e-5) probabilities."""
    rows = load_iris().data
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    labels, probabilities = session.run(None, {"X": rows.astype(np.float32)})
    if not (
        np.array_equal(labels, model.predict(rows))
        and np.allclose(probabilities, model.predict_proba(rows), atol=1e-5)
    ):
        raise ValueError("the ONNX model does not agree with the scikit-learn model")


def describe(files: dict[str, bytes], target_names: list[str], scores: dict) -> dict:
    """Return what metrics.json says: scores, versions, and the sha256 by which the api knows the files."""
    return {
        "name": NAME,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **scores,
        "features": FEATURES,
        "classes": target_names,
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        },
        "versions": {
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "skl2onnx": skl2onnx.__version__,
        },
    }


def save(folder: Path, files: dict[str, bytes]) -> None:
    """Write `files` (name: content) into `folder`, each whole or not at all, the last one last.

    A reader sees an old file or a new one, never half of one. Raises OSError.
    """
    folder_fd = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(folder_fd, fcntl.LOCK_EX)  # two trainings at once save one after the other
        for name, content in files.items():
            beside = folder / f".{name}.new"
            beside.unlink(missing_ok=True)  # of a training that was killed, maybe another user's
            with open(beside, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for name in files:
            os.replace(folder / f".{name}.new", folder / name)
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)


def main(folder: Path = MODELS) -> None:
    model, target_names, scores = train()
    files = {
        f"{NAME}.joblib": to_joblib(model, target_names),
        f"{NAME}.onnx": to_onnx(model, target_names),
    }
    check_agreement(model, files[f"{NAME}.onnx"])
    metrics = describe(files, target_names, scores)
    # metrics.json goes last: what it does not vouch for, the api does not load.
    files["metrics.json"] = (json.dumps(metrics, indent=2) + "\n").encode()
    try:
        save(folder, files)
    except OSError as error:
        sys.exit(
            f"train: cannot write to {folder}: {error.strerror}; a writable volume is needed there"
        )
    print(f"Test accuracy: {scores['accuracy']:.3f}")


if __name__ == "__main__":
    main()
