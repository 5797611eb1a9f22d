# /// script
# requires-python = ">=3.13"
# dependencies = ["mlflow==3.17.2", "scikit-learn==1.9.1"]
# ///
"""`mlflow models serve` of a model with a signature, one worker.

Not done: checks no range, gives no probabilities.
"""

import os

import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]

iris = load_iris(as_frame=True)
x = iris.data.set_axis(NAMES, axis="columns")
model = LogisticRegression(max_iter=200).fit(x, iris.target)
mlflow.sklearn.save_model(
    model, "/tmp/iris", signature=mlflow.models.infer_signature(x, iris.target)
)
os.execvp("mlflow", ["mlflow", "models", "serve", "--model-uri", "/tmp/iris", "--env-manager", "local",
                     "--host", "0.0.0.0", "--port", "8000", "--workers", "1"])  # fmt: skip
