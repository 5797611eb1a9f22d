"""A run that is recorded by a real MLflow, which is asked by its service's name."""

import json
import random

from learn import exercise
from learn.bench import Bench, CannotCheck

TITLE = "A training that a tracking server remembers"
MINUTES = 12
SLOW = "It builds lab 5's MLflow image, a minute or two the first time, and starts it."
HINTS = (
    "docs/concepts.md, section Network: what localhost is in a container, and by which name services find each other.",
    "A server that was started is not ready yet. Its image has a health check; the training can depend on that.",
    "depends_on has a long form with a condition, service_healthy. And the port is the one in the container: what is published is for your browser.",
)
MUST_SAY = {
    "start": "http://localhost:5000 does not answer",
    "wrong-published-port": "http://tracking:5001 does not answer",
    "wrong-not-ready": "http://tracking:5000 does not answer",
    "wrong-swallowed": "the server has no run",
    "wrong-host-network": "network_mode: host",
}
# Asked in the server's own container.
runs = """
import urllib.request as r
ask = r.Request("http://127.0.0.1:5000/api/2.0/mlflow/runs/search", b'{"experiment_ids": ["0"]}', {"Content-Type": "application/json"})
print(r.urlopen(ask, timeout=30).read().decode())
"""


def check(bench: Bench) -> None:
    image, lab = bench.new_name(), str(exercise.ROOT / "mlflow-flask")
    built = bench.docker(
        "build", "--tag", image, "--file", f"{lab}/Dockerfile.mlflow", lab, timeout=900
    )
    if built.code:
        raise CannotCheck(f"the image of lab 5 does not build:\n{built.seen}")
    env = {"TRACKING_IMAGE": image, "PORT": str(bench.free_port())}
    config = bench.compose("config", "--format", "json", env=env)
    mode = (
        json.loads(config.out)["services"]["train"].get("network_mode") if not config.code else ""
    )
    bench.expect(
        config.code == 0 and not mode, "The training is in the project's network",
        did="docker compose config", seen=f"network_mode: {mode}" if mode else config.seen,
        expected="no network_mode: the network that Compose makes",
        why="services have names in the project's network only", read="docs/concepts.md#network",
    )  # fmt: skip
    # Other data than the learner's: so and so many of 40 rows are right.
    right = random.randrange(10, 40)
    rows = ["1.0,setosa"] * right + ["1.0,virginica"] * (40 - right)
    (bench.folder / "iris.csv").write_text("\n".join(["petal_cm,species", *rows]) + "\n")
    done = bench.compose("run", "--rm", "train", env=env)
    why = "what was just started does not answer yet, and inside, nobody knows the published port"
    if "localhost" in done.err:
        why = "localhost in a container is the container itself"
    bench.expect(
        done.code == 0, "The training ends well",
        did="docker compose run --rm train", seen=done.seen.splitlines()[-1], expected="recorded, exit code 0",
        why=why, read="docs/concepts.md#network",
    )  # fmt: skip
    asked = bench.compose("exec", "-T", "tracking", "python", "-c", runs, env=env)
    found = json.loads(asked.out).get("runs", []) if asked.code == 0 else []
    kept = [
        m["value"]
        for run in found
        for m in run["data"].get("metrics", [])
        if m["key"] == "accuracy"
    ]
    bench.expect(
        kept == [right / 40], "The server has the run, with its accuracy",
        did="docker compose run --rm train; a look at what the server has", seen=f"accuracy {kept[0]}" if kept else "the server has no run",
        expected=f"one run, with accuracy {right / 40}",
        why="what is only printed is gone with the container", read="mlflow-flask/README.md#how-it-works",
    )  # fmt: skip
