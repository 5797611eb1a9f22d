import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

iris = load_iris(as_frame=True)
model = LogisticRegression(max_iter=200).fit(iris.data, iris.target)
joblib.dump({"model": model, "target_names": iris.target_names}, "iris_logreg.joblib")
