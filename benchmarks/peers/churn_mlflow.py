# /// script
# requires-python = ">=3.13"
# dependencies = ["mlflow==3.17.2", "onnx==1.23.2", "onnxruntime==1.32.0"]
# ///
"""`mlflow models serve` of the very model that lab 5 registered, one worker.

Not done: checks no category, notices no new champion, cannot start without its registry.
"""

import os

os.execvp("mlflow", ["mlflow", "models", "serve", "--model-uri", "models:/churn@champion", "--env-manager", "local",
                     "--host", "0.0.0.0", "--port", "5000", "--workers", "1"])  # fmt: skip
