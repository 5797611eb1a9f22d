"""The same service as most tutorials write it: load the champion once, answer whatever comes."""

import mlflow
import pandas as pd
from flask import Flask, request

app = Flask(__name__)
mlflow.set_tracking_uri("http://mlflow:5000")
model = mlflow.sklearn.load_model("models:/naive-churn@champion")


@app.get("/health")
def health():
    return "ok"


@app.post("/predict")
def predict():
    table = pd.DataFrame([request.get_json()])
    return {"probability": float(model.predict_proba(table)[0, 1])}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
