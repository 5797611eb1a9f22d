# /// script
# requires-python = ">=3.13"
# dependencies = ["litserve==0.2.19", "scikit-learn==1.9.1"]
# ///
"""LitServe: the four methods of a LitAPI. Its HTTP server is a process of its own, as always.

Not done: checks no range, gives no probabilities.
"""

import litserve
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

NAMES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


class Iris(litserve.LitAPI):
    def setup(self, device):
        x, y = load_iris(return_X_y=True)
        self.model = LogisticRegression(max_iter=200).fit(x, y)

    def decode_request(self, request):
        return [request[name] for name in NAMES]

    def predict(self, x):
        return int(self.model.predict([x])[0])

    def encode_response(self, output):
        return {"predicted_class_index": output}


if __name__ == "__main__":
    litserve.LitServer(Iris(), accelerator="cpu").run(port=8000, generate_client_file=False)
