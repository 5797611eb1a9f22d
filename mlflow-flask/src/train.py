"""Train the versions that configuration files describe, log and register them, pick the champion.

    python src/train.py configs/v1.yaml configs/v2.yaml            to the server at MLFLOW_TRACKING_URI
    python src/train.py --bake models configs/v1.yaml ...          into the folder that the image carries

Both write what was fitted on the way, the preprocessing and the label encoder, to data/processed/.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import skops.io
import yaml
from predict import TRUSTED, Model
from registry import ALIASES, NAME
from sklearn.base import ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    RocCurveDisplay,
    accuracy_score,
    f1_score,
    log_loss,
    roc_auc_score,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

matplotlib.use("Agg")
# MLflow tries the example as a table; the pipeline goes by position and does not mind.
warnings.filterwarnings("ignore", message="X has feature names")

CLASSIFIERS = {
    "logistic_regression": LogisticRegression,
    "gradient_boosting": GradientBoostingClassifier,
}
PROCESSED = Path("data/processed")


class TrainError(Exception):
    """Data or configuration that cannot be trained on; the message is one line for the person who wrote it."""


@dataclass(frozen=True)
class Data:
    """A table split in two, and what was fitted on its training part. `config` is configs/data.yaml."""

    config: dict[str, Any]
    sha256: str
    encoder: LabelEncoder
    preprocess: ColumnTransformer
    train: pd.DataFrame
    test: pd.DataFrame
    y_train: np.ndarray  # encoded labels
    y_test: np.ndarray

    @property
    def columns(self) -> list[str]:
        return [*self.config["numeric"], *self.config["categorical"]]

    @property
    def positive(self) -> int:
        return list(self.encoder.classes_).index(self.config["positive"])


def read_yaml(path: Path, keys: set[str]) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise TrainError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(config, dict) or set(config) != keys:
        raise TrainError(f"{path}: must have exactly the keys {', '.join(sorted(keys))}")
    return config


def read_table(config: dict[str, Any]) -> pd.DataFrame:
    """Read the table and check it against the configuration; raises TrainError naming the column."""
    path = Path(config["path"])
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise TrainError(f"{path}: {error}") from None
    wanted = [*config["numeric"], *config["categorical"], config["target"]]
    if missing := [name for name in wanted if name not in table]:
        raise TrainError(f"{path}: no column {', '.join(missing)}; found: {', '.join(table)}")
    for name in wanted:
        if table[name].isna().any():
            row = int(np.flatnonzero(table[name].isna())[0]) + 1
            raise TrainError(f"{path}: column {name}, row {row}: empty")
    for name, (low, high) in config["numeric"].items():
        values = pd.to_numeric(table[name], errors="coerce")
        if not (good := values.between(low, high)).all():
            row = int(np.flatnonzero(~good)[0])
            raise TrainError(
                f"{path}: column {name}, row {row + 1}: {table[name].iloc[row]!r} is not a number from {low} to {high}"
            )
        table[name] = values.astype(float)
    labels = table[config["target"]].astype(str)
    if (
        config["positive"] not in set(labels)
        or labels.nunique() != 2
        or labels.value_counts().min() < 10
    ):
        raise TrainError(
            f"{path}: column {config['target']} must hold two labels, one of them {config['positive']!r},"
            " each at least 10 times"
        )  # fmt: skip
    return table.astype(dict.fromkeys([*config["categorical"], config["target"]], str))


def prepare(config_path: Path) -> Data:
    """Read, split by label (stratified), fit preprocessing and label encoder, keep both in data/processed/."""
    keys = {"path", "target", "positive", "numeric", "categorical", "test_share", "seed"}
    config = read_yaml(config_path, keys)
    table = read_table(config)
    encoder = LabelEncoder()
    y = encoder.fit_transform(table[config["target"]])
    train, test, y_train, y_test = train_test_split(
        table, y, test_size=config["test_share"], stratify=y, random_state=config["seed"]
    )
    numeric = list(range(len(config["numeric"])))
    categorical = list(range(len(numeric), len(numeric) + len(config["categorical"])))
    # By position, on plain arrays: what serves needs no pandas.
    preprocess = ColumnTransformer(
        [
            ("numeric", StandardScaler(), numeric),
            ("categorical", OneHotEncoder(sparse_output=False), categorical),
        ]
    )
    # All categories of the table are accepted, also one that only the test part has.
    preprocess.set_params(
        categorical__categories=[sorted(table[name].unique()) for name in config["categorical"]]
    )
    columns = [*config["numeric"], *config["categorical"]]
    preprocess.fit(train[columns].to_numpy(object))
    dump(preprocess, PROCESSED / "preprocess.skops")
    dump(encoder, PROCESSED / "label_encoder.skops")
    sha256 = hashlib.sha256(Path(config["path"]).read_bytes()).hexdigest()
    return Data(config, sha256, encoder, preprocess, train, test, y_train, y_test)


def dump(fitted: Any, path: Path) -> None:
    """Write beside and rename, so that a reader finds the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    skops.io.dump(fitted, beside, compression=8)  # zipfile.ZIP_DEFLATED
    beside.replace(path)


@dataclass(frozen=True)
class Trained:
    config: dict[str, Any]
    pipeline: Pipeline
    metrics: dict[str, float]


def train(config_path: Path, data: Data) -> Trained:
    """Fit the classifier of one configuration and measure it on the test part."""
    config = read_yaml(config_path, {"version", "classifier", "parameters"})
    if f"current-{config['version']}" not in ALIASES.values():
        raise TrainError(f"{config_path}: version must be v1 or v2, not {config['version']!r}")
    if config["classifier"] not in CLASSIFIERS:
        raise TrainError(f"{config_path}: classifier must be one of {', '.join(CLASSIFIERS)}")
    try:
        classifier: ClassifierMixin = CLASSIFIERS[config["classifier"]](
            **config["parameters"], random_state=data.config["seed"]
        )
        pipeline = Pipeline([("preprocess", data.preprocess), ("classifier", classifier)])
        classifier.fit(
            data.preprocess.transform(data.train[data.columns].to_numpy(object)), data.y_train
        )
    except (TypeError, ValueError) as error:
        raise TrainError(f"{config_path}: {' '.join(str(error).split())}") from None
    probability = probability_of(pipeline, data)
    y = data.y_test == data.positive
    metrics = {
        "roc_auc": roc_auc_score(y, probability),
        "accuracy": accuracy_score(y, probability > 0.5),
        "f1": f1_score(y, probability > 0.5),
        "log_loss": log_loss(y, probability),
    }
    return Trained(config, pipeline, {name: round(float(v), 6) for name, v in metrics.items()})


def probability_of(pipeline: Pipeline, data: Data) -> np.ndarray:
    return pipeline.predict_proba(data.test[data.columns].to_numpy(object))[:, data.positive]


def card_of(trained: Trained, data: Data) -> dict[str, Any]:
    """What predict.py reads beside the pipeline."""
    categories = data.preprocess.named_transformers_["categorical"].categories_
    return {
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


def bake(trained: Trained, data: Data, models: Path) -> None:
    """Write a model folder; load it as the service will before it takes the place of the old one."""
    folder = models / trained.config["version"]
    card = json.dumps(card_of(trained, data), indent=2) + "\n"
    with tempfile.TemporaryDirectory() as tried:
        skops.io.dump(trained.pipeline, Path(tried) / "model.skops")
        (Path(tried) / "model.json").write_text(card)
        Model.load(Path(tried))
    dump(trained.pipeline, folder / "model.skops")
    (folder / "model.json").write_text(card)


def register(trained: Trained, data: Data) -> int:
    """Log one run with its model to MLflow and register it; returns the number of the version."""
    import mlflow
    from mlflow.models import infer_signature

    version = trained.config["version"]
    with mlflow.start_run(run_name=f"{version} {trained.config['classifier']}"):
        mlflow.log_params(
            {
                "classifier": trained.config["classifier"],
                **trained.config["parameters"],
                **split_of(data),
                "train_rows": len(data.train),
                "test_rows": len(data.test),
            }
        )
        mlflow.log_metrics(trained.metrics)
        log_pictures(trained, data)
        example = data.test[data.columns].head(3)
        logged = mlflow.sklearn.log_model(
            trained.pipeline,
            name="model",
            serialization_format="skops",  # no code in it, unlike a pickle
            skops_trusted_types=TRUSTED,
            signature=infer_signature(
                example, trained.pipeline.predict_proba(example.to_numpy(object))
            ),
            input_example=example,
            pyfunc_predict_fn="predict_proba",
            pip_requirements=["scikit-learn", "skops"],
        )
        with tempfile.TemporaryDirectory() as folder:
            card = Path(folder) / "model.json"
            card.write_text(json.dumps(card_of(trained, data), indent=2) + "\n")
            mlflow.MlflowClient().log_model_artifact(logged.model_id, str(card))
    # Only now: whoever follows the registry never sees a version that lacks its model.json.
    registered = mlflow.register_model(f"models:/{logged.model_id}", NAME)
    client = mlflow.MlflowClient()
    client.set_model_version_tag(NAME, registered.version, "config", version)
    client.set_registered_model_alias(NAME, f"current-{version}", registered.version)
    return int(registered.version)


def split_of(data: Data) -> dict[str, Any]:
    """What two runs must share for their metrics to be comparable."""
    return {
        "data_sha256": data.sha256,
        "test_share": data.config["test_share"],
        "seed": data.config["seed"],
    }


def log_pictures(trained: Trained, data: Data) -> None:
    import mlflow
    from matplotlib.figure import Figure

    probability = probability_of(trained.pipeline, data)
    y = data.y_test == data.positive
    roc = Figure(figsize=(5, 5), layout="constrained")
    RocCurveDisplay.from_predictions(y, probability, ax=roc.subplots(), plot_chance_level=True)
    mlflow.log_figure(roc, "roc.png")
    confusion = Figure(figsize=(5, 5), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        y, probability > 0.5, display_labels=["stays", "leaves"], ax=confusion.subplots(), colorbar=False
    )  # fmt: skip
    mlflow.log_figure(confusion, "confusion_matrix.png")


def choose_champion(data: Data) -> tuple[int, float]:
    """Set the alias `champion` on the best current version by ROC AUC on this test split; returns both."""
    import mlflow

    client = mlflow.MlflowClient()
    wanted = {name: str(value) for name, value in split_of(data).items()}
    candidates = []
    for alias, number in client.get_registered_model(NAME).aliases.items():
        if not alias.startswith("current-"):
            continue
        run = client.get_run(client.get_model_version(NAME, number).run_id).data
        if wanted.items() <= run.params.items():
            candidates.append((run.metrics["roc_auc"], int(number)))
    roc_auc, best = max(candidates)
    client.set_registered_model_alias(NAME, "champion", str(best))
    return best, roc_auc


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="train.py", description="Train, log and register churn models."
    )
    parser.add_argument(
        "configs", nargs="+", type=Path, metavar="CONFIG", help="configs/v1.yaml, ..."
    )
    parser.add_argument("--data", type=Path, default=Path("configs/data.yaml"))
    parser.add_argument(
        "--bake", type=Path, metavar="FOLDER", help="write model folders, ask no server"
    )
    options = parser.parse_args(arguments)  # fmt: skip
    try:
        data = prepare(options.data)
        trained = [train(path, data) for path in options.configs]
        for one in trained:
            print(f"{one.config['version']}: {one.config['classifier']}", one.metrics)
        if options.bake:
            for one in trained:
                bake(one, data, options.bake)
            return
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            raise TrainError("MLFLOW_TRACKING_URI is not set: give the server, http://HOST:PORT")
        log_to_mlflow(trained, data)
    except (TrainError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def log_to_mlflow(trained: list[Trained], data: Data) -> None:
    import mlflow

    try:
        mlflow.set_experiment(NAME)
        # The page then leaves out what is about language models.
        mlflow.set_experiment_tag("mlflow.experimentKind", "custom_model_development")
        for one in trained:
            print(f"{one.config['version']}: registered as {NAME} version {register(one, data)}")
        best, roc_auc = choose_champion(data)
    except mlflow.MlflowException as error:
        server = os.environ["MLFLOW_TRACKING_URI"]
        raise TrainError(f"{server}: {' '.join(str(error).split())[:300]}") from None
    print(f"champion: version {best}, ROC AUC {roc_auc:.3f} on the test rows")


if __name__ == "__main__":
    main(sys.argv[1:])
