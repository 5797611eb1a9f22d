# /// script
# requires-python = ">=3.13"
# dependencies = ["onnxruntime==1.31.1", "skl2onnx==1.20.0", "scikit-learn==1.9.1"]
# ///
"""The limit of ONNX Runtime: one flower after the other in a loop.

Not done: knows no HTTP.
"""

import time

import numpy as np
import onnxruntime
import skl2onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

SECONDS = 10

x, y = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=200).fit(x, y)
graph = skl2onnx.to_onnx(model, x[:1].astype(np.float32), options={id(model): {"zipmap": False}})
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
flower = np.array([[5.1, 3.5, 1.4, 0.2]], np.float32)

done, end = 0, time.perf_counter() + SECONDS
while time.perf_counter() < end:
    session.run(None, {"X": flower})
    done += 1
print(done / SECONDS)
