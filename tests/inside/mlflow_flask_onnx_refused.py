"""Convert a pipeline whose ONNX form differs, and a classifier that has none; print what is said of each."""

import pathlib

import numpy as np
import train
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from trainer.data import TrainError, prepare


class Differs(Pipeline):
    """Answers a little differently for one row."""

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        probabilities = super().predict_proba(rows)
        probabilities[-1] += [0.001, -0.001]
        return probabilities


class Unknown(LogisticRegression):
    """A classifier of one's own, which skl2onnx does not know."""


data = prepare(pathlib.Path("configs/data.yaml"))
config = pathlib.Path("configs/v1.yaml")
fitted = train.train(config, data).pipeline
train.CLASSIFIERS["logistic_regression"] = Unknown
for convert in (
    lambda: train.to_onnx(Differs(fitted.steps), data),
    lambda: train.train(config, data),
):
    try:
        convert()
    except TrainError as error:
        print(error)
