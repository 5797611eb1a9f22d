"""The table to train on: read, checked, split in two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

KEYS = {"path", "target", "positive", "numeric", "categorical", "test_share", "seed"}
FEWEST_OF_A_LABEL = 10


class TrainError(Exception):
    """Data or configuration that cannot be trained on; the message is one line for the person who wrote it."""


@dataclass(frozen=True)
class Data:
    """A table split in two, and what was fitted on its training part. `config` is configs/data.yaml."""

    config: dict[str, Any]
    sha256: str
    encoder: LabelEncoder
    preprocess: ColumnTransformer
    train: np.ndarray  # (rows, columns), objects: the numbers first, then the categories
    test: np.ndarray
    y_train: np.ndarray  # (rows,), labels as the encoder numbers them
    y_test: np.ndarray

    @property
    def columns(self) -> list[str]:
        return columns_of(self.config)

    def by_column(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return rows as the ONNX model takes them: an array (rows, 1) a column, of float64 or text."""
        kinds = [float] * len(self.config["numeric"]) + [str] * len(self.config["categorical"])
        columns = zip(self.columns, kinds, rows.T, strict=True)
        return {name: values.astype(kind).reshape(-1, 1) for name, kind, values in columns}

    @property
    def positive(self) -> int:
        """The number of the label whose probability is reported."""
        return list(self.encoder.classes_).index(self.config["positive"])

    @property
    def split(self) -> dict[str, Any]:
        """What two runs must share for their metrics to be comparable."""
        chosen = {key: self.config[key] for key in ("test_share", "seed")}
        return {"data_sha256": self.sha256, **chosen}


def columns_of(config: dict[str, Any]) -> list[str]:
    return [*config["numeric"], *config["categorical"]]


def read_yaml(path: Path, keys: set[str]) -> dict[str, Any]:
    """Read a configuration; raises TrainError unless it has exactly these keys."""
    try:
        config = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise TrainError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(config, dict) or set(config) != keys:
        raise TrainError(f"{path}: must have exactly the keys {', '.join(sorted(keys))}")
    return config


def prepare(config_path: Path) -> Data:
    """Read the table, split it by label (stratified), fit preprocessing and label encoder.

    Raises TrainError naming file, column and row of what cannot be used.
    """
    config = read_yaml(config_path, KEYS)
    table = read_table(config)
    encoder = LabelEncoder()
    y = encoder.fit_transform(table[config["target"]])
    rows = table[columns_of(config)].to_numpy(object)
    train, test, y_train, y_test = train_test_split(
        rows, y, test_size=config["test_share"], stratify=y, random_state=config["seed"]
    )
    # All categories of the table are accepted, also one that only the test part has.
    categories = [sorted(table[name].unique()) for name in config["categorical"]]
    preprocess = make_preprocess(len(config["numeric"]), categories).fit(train)
    sha256 = hashlib.sha256(Path(config["path"]).read_bytes()).hexdigest()
    return Data(config, sha256, encoder, preprocess, train, test, y_train, y_test)


def make_preprocess(numbers: int, categories: list[list[str]]) -> ColumnTransformer:
    """Scale the first columns, one-hot encode the rest. By position: what serves needs no pandas."""
    encode = OneHotEncoder(categories=categories, sparse_output=False)
    return ColumnTransformer(
        [
            ("numeric", StandardScaler(), list(range(numbers))),
            ("categorical", encode, list(range(numbers, numbers + len(categories)))),
        ]
    )


def read_table(config: dict[str, Any]) -> pd.DataFrame:
    """Read the table and check it against the configuration; raises TrainError naming the column."""
    path = Path(config["path"])
    try:
        # As text: 01 is another category than 1.
        text = dict.fromkeys([*config["categorical"], config["target"]], str)
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=text)
    except (OSError, ValueError) as error:
        raise TrainError(f"{path}: {error}") from None
    wanted = [*columns_of(config), config["target"]]
    if missing := [name for name in wanted if name not in table]:
        raise TrainError(f"{path}: no column {', '.join(missing)}; found: {', '.join(table)}")
    for name in wanted:
        if table[name].isna().any():
            row = int(np.flatnonzero(table[name].isna())[0])
            raise TrainError(f"{path}: column {name}, row {row + 1}: empty")
    for name, (low, high) in config["numeric"].items():
        table[name] = read_numbers(path, table[name], low, high)
    labels = table[config["target"]].value_counts()
    if config["positive"] not in labels or len(labels) != 2 or labels.min() < FEWEST_OF_A_LABEL:
        raise TrainError(
            f"{path}: column {config['target']} must hold two labels, one of them"
            f" {config['positive']!r}, each at least {FEWEST_OF_A_LABEL} times"
        )
    return table


def read_numbers(path: Path, column: pd.Series, low: float, high: float) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    if not (good := numbers.between(low, high)).all():
        row = int(np.flatnonzero(~good)[0])
        raise TrainError(
            f"{path}: column {column.name}, row {row + 1}: {column.iloc[row]!r} is not a number"
            f" from {low} to {high}"
        )
    return numbers.astype(float)
