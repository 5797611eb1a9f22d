# /// script
# requires-python = ">=3.9,<3.13"
# dependencies = ["mlserver==1.7.1", "mlserver-sklearn==1.7.1"]
# ///
"""MLServer with its scikit-learn runtime, in one process: a model file and two files of settings.

Not done: checks no name and no range, gives no probabilities.
"""

import json
import os
from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

x, y = load_iris(return_X_y=True)
joblib.dump(LogisticRegression(max_iter=200).fit(x, y), "iris.joblib")

model = {
    "name": "iris",
    "implementation": "mlserver_sklearn.SKLearnModel",
    "parameters": {"uri": "./iris.joblib"},
}
Path("model-settings.json").write_text(json.dumps(model))
Path("settings.json").write_text(json.dumps({"parallel_workers": 0}))
os.execvp("mlserver", ["mlserver", "start", "."])
