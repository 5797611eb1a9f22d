import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
saved = joblib.load("iris_logreg.joblib")


class Iris(BaseModel):
    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


@app.get("/ready")
def ready():
    return {"status": "ok"}


@app.post("/predict")
def predict(iris: Iris):
    row = np.array([[iris.sepal_length, iris.sepal_width, iris.petal_length, iris.petal_width]])
    index = int(saved["model"].predict(row)[0])
    return {
        "predicted_class_index": index,
        "predicted_class_name": str(saved["target_names"][index]),
        "input": iris.model_dump(),
    }
