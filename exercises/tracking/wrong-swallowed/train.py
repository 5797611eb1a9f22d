"""Finds setosa by its short petals, and records how often that is right."""

import csv
import json
import os
import time
import urllib.request

SERVER = os.environ["MLFLOW_TRACKING_URI"]


def accuracy() -> float:
    """The share of rows where petals below 2.45 cm and the name setosa go together."""
    with open("/app/iris.csv") as file:
        rows = list(csv.DictReader(file))
    right = [(float(row["petal_cm"]) < 2.45) == (row["species"] == "setosa") for row in rows]
    return sum(right) / len(right)


def ask(what: str, **body: object) -> dict:
    """One call of MLflow's REST API, as the package mlflow would make it."""
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{SERVER}/api/2.0/mlflow/runs/{what}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def record(value: float) -> None:
    now = int(1000 * time.time())
    run = ask("create", experiment_id="0", start_time=now)["run"]["info"]["run_id"]
    ask("log-metric", run_id=run, key="accuracy", value=value, timestamp=now)
    ask("update", run_id=run, status="FINISHED", end_time=int(1000 * time.time()))


def main() -> None:
    value = accuracy()
    print(f"accuracy {value:.3f}", flush=True)
    try:
        record(value)
    except OSError as error:
        print(f"warning: not recorded, {SERVER} does not answer: {error}")
    print("recorded")


main()
