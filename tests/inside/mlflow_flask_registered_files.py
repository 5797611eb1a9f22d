"""Print the files of the champion as MLflow's own loader gets them, and what is known of its inputs."""

import pathlib

import mlflow

folder = mlflow.artifacts.download_artifacts("models:/churn@champion")
print(sorted(path.name for path in pathlib.Path(folder).iterdir()))
info = mlflow.models.get_model_info(folder)
print(len(info.signature.inputs.inputs), info.saved_input_example_info is not None)
model = mlflow.pyfunc.load_model(folder)
print(model.predict(model.input_example)["probabilities"].shape)
