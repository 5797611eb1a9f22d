"""Train the churn models, log and register them, pick the champion.

    python src/train.py configs/v1.yaml configs/v2.yaml            to the server at MLFLOW_TRACKING_URI
    python src/train.py --bake models configs/v1.yaml ...          into the folder that the image carries

Both write what was fitted on the way, the preprocessing and the label encoder, to data/processed/.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from registry import ALIASES
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from trainer.data import Data, TrainError, prepare, read_yaml
from trainer.models import Trained, bake, dump, to_onnx, try_out

CLASSIFIERS = {
    "logistic_regression": LogisticRegression,
    "gradient_boosting": GradientBoostingClassifier,
}
PROCESSED = Path("data/processed")


def train(config_path: Path, data: Data) -> Trained:
    """Fit the classifier of one configuration and measure it on the test part.

    Raises TrainError naming what in the configuration is not accepted.
    """
    config = read_yaml(config_path, {"version", "classifier", "parameters"})
    if f"current-{config['version']}" not in ALIASES.values():
        raise TrainError(f"{config_path}: version must be v1 or v2, not {config['version']!r}")
    if config["classifier"] not in CLASSIFIERS:
        raise TrainError(f"{config_path}: classifier must be one of {', '.join(CLASSIFIERS)}")
    try:
        classifier = CLASSIFIERS[config["classifier"]](**config["parameters"])
        if "random_state" in classifier.get_params():
            classifier.set_params(random_state=data.config["seed"])
        classifier.fit(data.preprocess.transform(data.train), data.y_train)
        pipeline = Pipeline([("preprocess", data.preprocess), ("classifier", classifier)])
        probability = pipeline.predict_proba(data.test)[:, data.positive]
    except (TypeError, ValueError, AttributeError) as error:  # the last: no predict_proba
        raise TrainError(f"{config_path}: {' '.join(str(error).split())}") from None

    leaves = data.y_test == data.positive
    metrics = {
        "roc_auc": roc_auc_score(leaves, probability),
        "accuracy": accuracy_score(leaves, probability > 0.5),
        "f1": f1_score(leaves, probability > 0.5),
        "log_loss": log_loss(leaves, probability),
    }
    rounded = {name: round(float(value), 6) for name, value in metrics.items()}
    return Trained(config, pipeline, probability, rounded, to_onnx(pipeline, data))


def run(options: argparse.Namespace) -> None:
    data = prepare(options.data)
    dump(data.preprocess, PROCESSED / "preprocess.skops")
    dump(data.encoder, PROCESSED / "label_encoder.skops")

    trained = [train(path, data) for path in options.configs]
    for one in trained:
        print(f"{one.config['version']}: {one.config['classifier']}", one.metrics)
        try_out(one, data)

    if options.bake:
        for one in trained:
            bake(one, data, options.bake)
        return
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        raise TrainError("MLFLOW_TRACKING_URI is not set: give the server, http://HOST:PORT")
    # Here, not above: it takes seconds to import, and a mistake in a file is told before.
    from trainer.tracking import publish

    publish(trained, data)


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
    try:
        run(parser.parse_args(arguments))
    except (TrainError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main(sys.argv[1:])
