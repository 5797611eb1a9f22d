"""Log runs to MLflow, register their models, choose the champion."""

from __future__ import annotations

import tempfile
from pathlib import Path

import mlflow
import numpy as np
from matplotlib.figure import Figure
from mlflow.models import infer_signature
from predict import open_session
from registry import NAME
from settings import without_password
from sklearn.metrics import ConfusionMatrixDisplay, RocCurveDisplay

from trainer.data import Data, TrainError
from trainer.models import Trained, card_of


def publish(trained: list[Trained], data: Data) -> None:
    """Register every model, then set the alias `champion`; raises TrainError when the server does not do it."""
    try:
        mlflow.set_experiment(NAME)
        # The page then leaves out what is about language models.
        mlflow.set_experiment_tag("mlflow.experimentKind", "custom_model_development")
        for one in trained:
            number = register(one, data)
            print(f"{one.config['version']}: registered as {NAME} version {number}")
        best, roc_auc = choose_champion(data)
    except mlflow.MlflowException as error:
        reason = f"{mlflow.get_tracking_uri()}: {' '.join(str(error).split())}"
        raise TrainError(without_password(reason)[:400]) from None
    print(f"champion: version {best}, ROC AUC {roc_auc:.3f} on the test rows")


def register(trained: Trained, data: Data) -> int:
    """Log one run with its model and register it; returns the number of the version."""
    version, classifier = trained.config["version"], trained.config["classifier"]
    with mlflow.start_run(run_name=f"{version} {classifier}"):
        rows = {"train_rows": len(data.train), "test_rows": len(data.test)}
        parameters = trained.config["parameters"]
        mlflow.log_params({"classifier": classifier, **parameters, **data.split, **rows})
        mlflow.log_metrics(trained.metrics)
        log_pictures(trained, data)
        model_id = log_model(trained, data)
    # Only now: whoever follows the registry never sees a version that lacks its model.json.
    registered = mlflow.register_model(f"models:/{model_id}", NAME)
    client = mlflow.MlflowClient()
    client.set_model_version_tag(NAME, registered.version, "config", version)
    client.set_registered_model_alias(NAME, f"current-{version}", registered.version)
    return int(registered.version)


def log_model(trained: Trained, data: Data) -> str:
    """Log the ONNX model with signature, input example and card; returns the model's id."""
    example = data.by_column(data.test[:3])
    labels, probabilities = open_session(trained.onnx.SerializeToString()).run(None, example)
    logged = mlflow.onnx.log_model(
        trained.onnx,
        name="model",
        signature=infer_signature(example, {"label": labels, "probabilities": probabilities}),
        input_example=example,
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,  # one file
        pip_requirements=["onnxruntime"],
    )
    with tempfile.TemporaryDirectory() as folder:
        card = Path(folder) / "model.json"
        card.write_text(card_of(trained, data))
        mlflow.MlflowClient().log_model_artifact(logged.model_id, str(card))
    return logged.model_id


def log_pictures(trained: Trained, data: Data) -> None:
    """Log the ROC curve and the confusion matrix of the test rows."""
    leaves: np.ndarray = data.y_test == data.positive
    roc = Figure(figsize=(5, 5), layout="constrained")
    RocCurveDisplay.from_predictions(
        leaves, trained.probability, ax=roc.subplots(), plot_chance_level=True
    )
    mlflow.log_figure(roc, "roc.png")
    confusion = Figure(figsize=(5, 5), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        leaves, trained.probability > 0.5,
        display_labels=["stays", "leaves"], ax=confusion.subplots(), colorbar=False,
    )  # fmt: skip
    mlflow.log_figure(confusion, "confusion_matrix.png")


def choose_champion(data: Data) -> tuple[int, float]:
    """Set the alias `champion` on the best current version by ROC AUC on this test split; returns both."""
    client = mlflow.MlflowClient()
    wanted = {name: str(value) for name, value in data.split.items()}
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
