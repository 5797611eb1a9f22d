"""A trained model: load it without trusting the file, check rows against it, predict.

A model is a folder of two files. `model.skops` holds the fitted scikit-learn pipeline, `model.json` says what it
accepts, what it was trained on and how good it is (written by train.py). Neither can carry code: skops builds
only the types it knows, JSON is data.

    python src/predict.py models/v2 < row.json
"""

from __future__ import annotations

import json
import sys
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
        """Read a model folder and let it predict once.

        Raises ModelError for a missing file, a type that is not trusted, or a model that does not predict.
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
            model.predict([model.example()])
        except Exception as error:  # whatever a damaged or hostile file leads to, it is not served
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise ModelError(f"{folder.name} cannot be served: {reason[:300]}") from error
        return model

    def example(self) -> dict[str, Any]:
        """A row that the model accepts."""
        return {
            **{name: low for name, (low, _) in self.numeric.items()},
            **{name: values[0] for name, values in self.categorical.items()},
        }

    def check(self, rows: list[Any]) -> None:
        """Raise InvalidRows with every problem of the first rows that have any."""
        problems: list[dict[str, Any]] = []
        for number, row in enumerate(rows):
            problems += self._problems_of(row, [number] if len(rows) > 1 else [])
            if len(problems) >= 20:
                break
        if problems:
            raise InvalidRows(problems)

    def _problems_of(self, row: Any, loc: list[Any]) -> list[dict[str, Any]]:
        if not isinstance(row, dict):
            return [{"loc": loc, "msg": "a row is an object of column: value"}]
        columns = [*self.numeric, *self.categorical]
        found = [
            {"loc": [*loc, name], "msg": "missing"} for name in columns if name not in row
        ] + [
            {"loc": [*loc, str(name)[:80]], "msg": f"unknown column; accepted: {', '.join(columns)}"}
            for name in row
            if name not in columns
        ]  # fmt: skip
        for name, (low, high) in self.numeric.items():
            if name in row and not is_number_within(row[name], low, high):
                message = f"must be a number from {low:g} to {high:g}"
                found.append({"loc": [*loc, name], "msg": message})
        for name, accepted in self.categorical.items():
            if name in row and row[name] not in accepted:
                message = f"unknown category; accepted: {', '.join(accepted)}"
                found.append({"loc": [*loc, name], "msg": message, "accepted": accepted})
        return found

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
