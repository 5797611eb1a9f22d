"""A trained model: load it without trusting the file, check rows against it, predict.

A model is a folder of two files. `model.onnx` is the fitted pipeline as ONNX, `model.json` says what it accepts, what
it was trained on and how good it is (written by train.py). Neither can carry code: ONNX is a graph of known
operators (https://onnx.ai/onnx/repo-docs/IR.html), JSON is data.

    python src/predict.py models/v2 < row.json
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

# The files of a model, and how many bytes each may have; looked at before one is downloaded or read.
MAX_BYTES = {"model.onnx": 16_000_000, "model.json": 16_000}

MAX_ROWS = 1000

# So much of what is wrong is told, and so long may a name, a label and the metrics be as JSON: no answer is over 64 KB,
# whatever was sent and whatever is registered.
MAX_PROBLEMS = 20
MAX_NAMES = 20
MAX_NAME_BYTES = 60
MAX_LABEL_BYTES = 20
MAX_METRICS_BYTES = 4000


class ModelError(Exception):
    """The folder holds no model that can be served; the message says why."""


class InvalidRows(Exception):
    """Rows that the model cannot take. `problems` is a list of {loc, msg} and, for categories, `accepted`."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(frozen=True)
class Model:
    """A loaded model. Never changed after loading, so that threads share it freely."""

    version: str  # of the configuration: v1, v2
    numeric: dict[str, tuple[float, float]]
    categorical: dict[str, list[str]]
    labels: list[str]  # by encoded class, as the label encoder has them
    positive: int  # index of the label whose probability is reported
    metrics: dict[str, float]
    session: onnxruntime.InferenceSession
    source: str = "baked"
    registry_version: int | None = None

    @classmethod
    def load(
        cls, folder: Path, source: str = "baked", registry_version: int | None = None
    ) -> Model:
        """Read a model folder and let it predict what its card accepts.

        Raises ModelError for a file that is missing or too large, is no ONNX or JSON, or a card that does not fit the
        model. Loading runs no code of whoever made it, but may take any time and memory: see candidate.py.
        """
        try:
            card = json.loads(read_file(folder, "model.json"))
            labels = [str(label) for label in card["labels"]]
            model = cls(
                version=str(card["version"]),
                numeric={name: (float(low), float(high)) for name, (low, high) in card["numeric"].items()},
                categorical={name: list(map(str, values)) for name, values in card["categorical"].items()},
                labels=labels,
                positive=labels.index(card["positive"]),
                metrics={name: float(value) for name, value in card["metrics"].items()},
                session=open_session(read_file(folder, "model.onnx")),
                source=source,
                registry_version=registry_version,
            )  # fmt: skip
            model.try_out()
        except Exception as error:  # whatever a damaged or hostile file leads to, it is not served
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise ModelError(f"{folder.name} cannot be served: {reason[:300]}") from error
        return model

    @property
    def columns(self) -> list[str]:
        return [*self.numeric, *self.categorical]

    def try_out(self) -> None:
        """Raise ValueError unless the card fits the model, which predicts every category and number accepted."""
        self.check_lengths()
        inputs = [one.name for one in self.session.get_inputs()]
        if sorted(inputs) != sorted(self.columns):
            raise ValueError(f"the model takes {some(inputs)}, the card has {some(self.columns)}")
        most = max(map(len, self.categorical.values()), default=1)
        for end in (0, 1):  # the smallest number accepted, and the largest
            rows = [
                {
                    **{name: ends[end] for name, ends in self.numeric.items()},
                    **{
                        name: values[row % len(values)] for name, values in self.categorical.items()
                    },
                }
                for row in range(most)
            ]
            for some_rows in (rows, rows[:1]):
                self.check_probabilities(self.probabilities(some_rows), len(some_rows))

    def check_lengths(self) -> None:
        """Raise ValueError when a name, a label or the metrics could make an answer too large."""
        names = [self.version, *self.columns, *itertools.chain(*self.categorical.values())]
        for name in names:
            if len(json.dumps(name)) > MAX_NAME_BYTES:
                raise ValueError(f"a name is too long: {name[:80]!r}")
        for label in self.labels:
            if len(json.dumps(label)) > MAX_LABEL_BYTES:
                raise ValueError(f"a label is too long: {label[:80]!r}")
        # Without NaN and infinity, which JSON does not have.
        if len(json.dumps(self.metrics, allow_nan=False)) > MAX_METRICS_BYTES:
            raise ValueError("there are too many metrics")

    def check_probabilities(self, found: np.ndarray, rows: int) -> None:
        if found.shape != (rows, len(self.labels)):
            raise ValueError(
                f"{rows} rows, {len(self.labels)} labels, and answers of {found.shape}"
            )
        if not ((found >= 0) & (found <= 1)).all():
            raise ValueError("a probability is not between 0 and 1")

    def check(self, rows: list[Any]) -> None:
        """Raise InvalidRows with the first MAX_PROBLEMS problems, if there are any."""
        found = itertools.chain.from_iterable(
            self._problems_of(row, [number] if len(rows) > 1 else [])
            for number, row in enumerate(rows)
        )
        if problems := list(itertools.islice(found, MAX_PROBLEMS)):
            raise InvalidRows(problems)

    def _problems_of(self, row: Any, loc: list[Any]) -> Iterator[dict[str, Any]]:
        if not isinstance(row, dict):
            yield {"loc": loc, "msg": "a row is an object of column: value"}
            return
        for name in self.columns:
            if name not in row:
                yield {"loc": [*loc, name], "msg": "missing"}
        for name in row:
            if name not in self.columns:
                message = f"unknown column; accepted: {some(self.columns)}"
                yield {"loc": [*loc, str(name)[:80]], "msg": message}
        for name, (low, high) in self.numeric.items():
            if name in row and not is_number_within(row[name], low, high):
                yield {"loc": [*loc, name], "msg": f"must be a number from {low:g} to {high:g}"}
        for name, accepted in self.categorical.items():
            if name in row and row[name] not in accepted:
                message = f"unknown category; accepted: {some(accepted)}"
                yield {"loc": [*loc, name], "msg": message, "accepted": accepted[:MAX_NAMES]}

    def predict(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return label and probability of the positive label (0 to 1) for each row.

        The rows must have passed `check`.
        """
        return [
            {
                "prediction": self.labels[int(one.argmax())],
                "probability": round(float(one[self.positive]), 6),
            }
            for one in self.probabilities(rows)
        ]

    def probabilities(self, rows: list[dict[str, Any]]) -> np.ndarray:
        """Return an array (rows, labels) of float32, 0 to 1. The model takes an array (rows, 1) a column."""
        table = {name: np.array([[row[name]] for row in rows], float) for name in self.numeric}
        for name in self.categorical:
            table[name] = np.array([[row[name]] for row in rows], object)
        return self.session.run(["probabilities"], table)[0]

    def describe(self) -> dict[str, Any]:
        """Which model this is, as every answer says it."""
        return {
            "name": "churn",
            "version": self.version,
            "registry_version": self.registry_version,
            "source": self.source,
        }


def read_file(folder: Path, name: str) -> bytes:
    """Read one of the two files of a model; raises ValueError for one that is too large, without reading it."""
    if (folder / name).stat().st_size > MAX_BYTES[name]:
        raise ValueError(f"{name} has more than {MAX_BYTES[name]} bytes")
    return (folder / name).read_bytes()


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # One thread: this model is done before a second one has woken up.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = (
        4  # what is wrong comes as an exception; the log is for lines of JSON
    )
    return onnxruntime.InferenceSession(content, options)


def is_number_within(value: Any, low: float, high: float) -> bool:
    # bool is an int to Python, and NaN fails every comparison.
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def some(names: list[str]) -> str:
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python src/predict.py FOLDER < rows.json")
    try:
        model = Model.load(Path(sys.argv[1]))
        body = json.load(sys.stdin)
        rows = body if isinstance(body, list) else [body]
        model.check(rows)
    except (ModelError, ValueError) as error:
        sys.exit(str(error))
    except InvalidRows as error:
        sys.exit("\n".join(json.dumps(problem) for problem in error.problems))
    for answer in model.predict(rows):
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
