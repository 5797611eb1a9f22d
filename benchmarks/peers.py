"""Measure labs 1, 3 and 5 beside well-known tools that do the same work, in turn, on this machine.

    python benchmarks/peers.py

Each peer is a file in peers/, written as its own documentation shows it, in an environment of its own; the head of
the file pins the versions. A peer and a lab get the same: for a service one cpu and 1 GB, for lab 1's work two cpus and
4 GB. The rows called a limit say how much of a lab's time is not its own. Writes results/peers.json.
"""

from __future__ import annotations

import ast
import json
import os
import re
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path

import batch_job
import mlflow_flask
import serve
from containers import HERE, ROOT, build, docker, in_turn, medians, served, write, wrk

PEERS = HERE / "peers"
LAB_5 = ROOT / "mlflow-flask"
FLOWER, CUSTOMER = serve.FLOWER, mlflow_flask.CUSTOMER
TENSOR = {"name": "flowers", "shape": [1, 4], "datatype": "FP64", "data": [*FLOWER.values()]}
# Of each service: its port, the path that says it is ready, the one that predicts, and what that is sent.
FLOWERS = {
    "iris_mlserver": (8080, "/v2/models/iris/ready", "/v2/models/iris/infer", {"inputs": [TENSOR]}),
    "iris_bentoml": (3000, "/readyz", "/predict", FLOWER),
    "iris_litserve": (8000, "/health", "/predict", FLOWER),
    "iris_mlflow": (8000, "/ping", "/invocations", {"dataframe_records": [FLOWER]}),
    "iris_asgi": (8000, "/", "/predict", FLOWER),
    "naive": (8000, "/ready", "/predict", FLOWER),
    "ours": (8000, "/ready", "/predict", FLOWER),
    "ours_joblib": (8000, "/ready", "/predict", FLOWER),
}
CUSTOMERS = {
    "churn_mlflow": (5000, "/ping", "/invocations", {"dataframe_records": [CUSTOMER]}),
    "ours": (5000, "/ready", "/predict", CUSTOMER),
}
SECONDS, ROUNDS = 10, 3
CLEANERS = (
    "clean_pandas",
    "clean_polars",
    "clean_polars_rejects",
    "clean_duckdb",
    "clean_duckdb_rejects",
)
Service = tuple[int, str, str, object]


def head(peer: str) -> dict[str, str]:
    """What the file of a peer says: its versions, what it is, and what it does not do."""
    text = (PEERS / f"{peer}.py").read_text()
    is_a, _, not_done = (ast.get_docstring(ast.parse(text)) or "").partition("\n\nNot done: ")
    (needs,) = re.findall(r"^# dependencies = (.*)$", text, flags=re.MULTILINE)
    return {"is": is_a, "not_done": not_done, "versions": ", ".join(json.loads(needs))}


def image_of(peer: str) -> str:
    """Build the environment of a peer; MLServer has no release for the Python of the others."""
    python = "3.11" if peer == "iris_mlserver" else "3.13"
    tag = f"bench-peer-{peer.replace('_', '-')}"
    arguments = ("--build-arg", f"PYTHON={python}", "--build-arg", f"PEER={peer}.py")
    return build(tag, *arguments, PEERS)


def ask(image: str, service: Service, seconds: int, connections: int, *options: object) -> dict:
    port, ready, path, body = service
    limits = ("--memory", "1g", "--env", "OMP_NUM_THREADS=1")
    with served(image, port, ready, *limits, *options) as running:
        wrk(f"{running.url}{path}", body, 2, connections)  # warm up
        return wrk(f"{running.url}{path}", body, seconds, connections)


def flowers(seconds: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Lab 3's work: one flower a request, over 16 connections."""
    images = {name: image_of(name) for name in FLOWERS if name.startswith("iris_")}
    names = {"naive": "naive", "ours": "onnx", "ours_joblib": "joblib"}
    images |= {mine: build(f"bench-{its}-api", *serve.BUILDS[its]) for mine, its in names.items()}
    loop = image_of("iris_onnx")
    with serve.trained() as models:
        options = (seconds, serve.CONNECTIONS, "--volume", f"{models}:/models:ro")
        versions = {
            name: partial(ask, images[name], service, *options) for name, service in FLOWERS.items()
        }
        return in_turn(rounds, versions | {"iris_onnx": partial(limit, loop)})


def limit(image: str) -> dict[str, float]:
    return {"requests_per_second": float(docker("run", "--rm", "--cpus", "1", image))}


def customers(seconds: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Lab 5's work: one customer a request, over 8 connections, the model from one registry."""
    images = {
        "churn_mlflow": image_of("churn_mlflow"),
        "ours": build("bench-mlflow-flask", "-f", LAB_5 / "Dockerfile.mlapp", LAB_5),
    }
    with mlflow_flask.registry() as network:
        address = ("--network", network, "--env", "MLFLOW_TRACKING_URI=http://mlflow:5000")
        options = (seconds, mlflow_flask.CONNECTIONS, *address)
        versions = {
            name: partial(ask, images[name], service, *options)
            for name, service in CUSTOMERS.items()
        }
        return in_turn(rounds, versions)


def cleaning(rows: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Lab 1's work. How many clean rows of each age they found stands beside the numbers."""
    images = {name: image_of(name) for name in CLEANERS}
    images["naive"] = build("bench-naive-batch-job", HERE / "naive" / "batch-job")
    images["ours"] = build("bench-ours-batch-job", ROOT / "batch-job")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        batch_job.make_input(images["naive"], data, rows)
        versions = {name: partial(clean, name, image, data) for name, image in images.items()}
        return in_turn(rounds, versions)


def clean(name: str, image: str, data: Path) -> dict[str, float]:
    for output in ("clean.csv", "rejects.csv", "report.html"):
        (data / output).unlink(missing_ok=True)
    os.sync()  # what the one before it has yet to write is not this one's cost
    done = batch_job.job(batch_job.SCRIPTS.get(name, "peer.py"), image, data, "4g")
    if done.pop("exit_code"):
        raise SystemExit(f"peers: {name} failed, or took more than 4 GB")
    with (data / "clean.csv").open("rb") as lines:
        lines.readline()
        buckets = Counter(line.rpartition(b",")[2].strip() for line in lines)
    return done | {f"clean_{bucket.decode()}": n for bucket, n in buckets.items()}


def main() -> None:
    about = {path.stem: head(path.stem) for path in sorted(PEERS.glob("*.py"))}
    found: dict[str, dict] = {"about": about, "rounds": {}}
    for lab, measure in (
        ("batch-job", partial(cleaning, batch_job.ROWS)),
        ("ml-prod-demo", partial(flowers, SECONDS)),
        ("mlflow-flask", partial(customers, SECONDS)),
    ):
        runs = measure(ROUNDS)
        found["rounds"][lab], found[lab] = runs, medians(runs)
        for name, row in found[lab].items():
            print(f"{lab:<14}{name:<22}", *(f"{key} {value:.4g}" for key, value in row.items()))
        write("peers", found)


if __name__ == "__main__":
    main()
