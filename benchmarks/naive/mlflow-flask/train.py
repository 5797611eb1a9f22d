"""The same kind of model as most tutorials train it: one pipeline, logged and registered in a line."""

import mlflow
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

df = pd.read_csv("churn.csv")
X, y = df.drop(columns="churn"), df["churn"] == "yes"
encode = ColumnTransformer(
    [("text", OneHotEncoder(), ["contract", "internet", "payment"])], remainder="passthrough"
)
model = make_pipeline(encode, GradientBoostingClassifier(learning_rate=0.06)).fit(X, y)

mlflow.set_tracking_uri("http://mlflow:5000")
mlflow.sklearn.log_model(
    model, name="model", registered_model_name="naive-churn", serialization_format="cloudpickle"
)
mlflow.MlflowClient().set_registered_model_alias("naive-churn", "champion", 1)
