"""Prints the number of iris rows, of equal classes in both forms of the model, and whether probabilities agree."""

import joblib
import numpy as np
import onnxruntime
from sklearn.datasets import load_iris

rows = load_iris().data
model = joblib.load("/models/iris_logreg.joblib")["model"]
session = onnxruntime.InferenceSession("/models/iris_logreg.onnx")
labels, probabilities = session.run(None, {"X": rows.astype(np.float32)})
furthest = abs(probabilities - model.predict_proba(rows)).max()
print(len(rows), (labels == model.predict(rows)).sum(), furthest < 1e-5)
