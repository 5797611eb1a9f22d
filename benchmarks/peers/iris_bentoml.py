# /// script
# requires-python = ">=3.13"
# dependencies = ["bentoml==1.4.40", "scikit-learn==1.9.1"]
# ///
"""BentoML: a service class with one method.

Not done: checks no range, gives no probabilities.
"""

import os

import bentoml
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


@bentoml.service
class Iris:
    def __init__(self) -> None:
        x, y = load_iris(return_X_y=True)
        self.model = LogisticRegression(max_iter=200).fit(x, y)

    @bentoml.api
    def predict(
        self, sepal_length: float, sepal_width: float, petal_length: float, petal_width: float
    ) -> int:
        return int(self.model.predict([[sepal_length, sepal_width, petal_length, petal_width]])[0])


if __name__ == "__main__":
    os.execvp("bentoml", ["bentoml", "serve", "peer:Iris", "--host", "0.0.0.0"])
