"""A trained model: load it without trusting the file, check rows against it, predict.

A model is a folder of two files. `model.skops` holds the fitted scikit-learn pipeline, `model.json` says what it
accepts, what it was trained on and how good it is (written by train.py). Neither can carry code: skops builds
only the types it knows, JSON is data.

    python src/predict.py models/v2 < row.json
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from sklearn.pipeline import Pipeline

# What a file may hold besides what skops trusts by itself. Never ask the file: that would trust everybody who can
# write to the registry. Tree is the compiled class behind every tree of scikit-learn.
TRUSTED = ["sklearn.tree._tree.Tree"]

MAX_ROWS = 1000

# So much of what is wrong is told, so that an answer stays small whatever was sent.
MAX_PROBLEMS = 20
MAX_NAMES = 20


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
    pipeline: Pipeline
    source: str = "baked"
    registry_version: int | None = None

    @classmethod
    def load(
        cls, folder: Path, source: str = "baked", registry_version: int | None = None
    ) -> Model:
        """Read a model folder and let it predict what its card accepts.

        Raises ModelError for a missing file, a type that is not trusted, or a card that does not fit the pipeline.
        """
        try:
            card = json.loads((folder / "model.json").read_text())
            labels = [str(label) for label in card["labels"]]
            model = cls(
                version=str(card["version"]),
                numeric={name: (float(low), float(high)) for name, (low, high) in card["numeric"].items()},
                categorical={name: list(map(str, values)) for name, values in card["categorical"].items()},
                labels=labels,
                positive=labels.index(card["positive"]),
                metrics={name: float(value) for name, value in card["metrics"].items()},
                pipeline=skops.io.load(folder / "model.skops", trusted=TRUSTED),
                source=source,
                registry_version=registry_version,
            )  # fmt: skip
            model.try_out()
        except Exception as error:  # whatever a damaged or hostile file leads to, it is not served
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise ModelError(f"{folder.name} cannot be served: {reason[:300]}") from error
        return model

    def try_out(self) -> None:
        """Raise ValueError unless the pipeline takes every category and number that the card accepts."""
        if not all(map(math.isfinite, self.metrics.values())):
            raise ValueError(f"a metric is no number: {self.metrics}")
        if len(self.pipeline.classes_) != len(self.labels):
            raise ValueError(f"{len(self.pipeline.classes_)} classes for {len(self.labels)} labels")
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
            if not all(math.isfinite(answer["probability"]) for answer in self.predict(rows)):
                raise ValueError("a probability is no number")

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
        columns = [*self.numeric, *self.categorical]
        for name in columns:
            if name not in row:
                yield {"loc": [*loc, name], "msg": "missing"}
        for name in row:
            if name not in columns:
                message = f"unknown column; accepted: {some(columns)}"
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
        columns = [*self.numeric, *self.categorical]
        table = np.array([[row[name] for name in columns] for row in rows], dtype=object)
        probabilities = self.pipeline.predict_proba(table)
        return [
            {
                "prediction": self.labels[int(one.argmax())],
                "probability": round(float(one[self.positive]), 6),
            }
            for one in probabilities
        ]

    def describe(self) -> dict[str, Any]:
        """Which model this is, as every answer says it."""
        return {
            "name": "churn",
            "version": self.version,
            "registry_version": self.registry_version,
            "source": self.source,
        }


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
