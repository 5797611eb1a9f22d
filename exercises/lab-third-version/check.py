"""Lab 5 with a third version: trained, registered, and served beside the other two."""

import csv
import json
import random

from learn.bench import Bench

TITLE = "A third version of the churn model"
MINUTES = 15
LAB = "mlflow-flask"
SLOW = "Half a minute; some more, and downloads, where this machine has not built lab 5 yet."
HINTS = (
    "Begin with a copy of configs/v2.yaml, and change what makes it another model. Then train, and read what it says.",
    "Training takes only versions that the service will follow. src/registry.py lists what a caller asks for, and the alias in the registry for each.",
    "MLflow keeps v3 for version numbers, so the alias has another name, made as those of v1 and v2 are.",
)
MUST_SAY = {
    "start": "No such file or directory: 'configs/v3.yaml'",
    "wrong-config-only": "version must be v1 or v2",
    "wrong-copy-of-v2": "the same 20 answers as v2",
    "wrong-says-v2": "v2: registered as churn version 1",
}
what_answers = "mlflow-flask/README.md#what-the-service-answers"


def customers(bench: Bench) -> str:
    """20 rows of the lab's own table, as /predict takes them."""
    with open(bench.folder / "data" / "raw" / "churn.csv", newline="", encoding="utf-8") as file:
        rows = random.sample(list(csv.DictReader(file)), 20)
    words = ("contract", "internet", "payment")
    return json.dumps([{name: value if name in words else float(value) for name, value in row.items() if name != "churn"} for row in rows])  # fmt: skip


def check(bench: Bench) -> None:
    port = bench.free_port()
    env = {"PORT": str(port), "MLFLOW_PORT": str(bench.free_port()), "POLL_SECONDS": "0.5"}
    # The container's user may be another than the learner.
    (bench.folder / "data" / "processed").chmod(0o777)
    train = ("--profile", "train", "run", "--rm", "-T", "--build", "train", "python", "src/train.py", "configs/v3.yaml")  # fmt: skip
    done = bench.compose(*train, env=env, timeout=900)
    said = [line for line in (done.out + done.err).splitlines() if "registered as" in line or line.startswith("train: ")]  # fmt: skip
    bench.expect(
        "v3: registered as" in done.out, "v3 is trained and registered", did=f"docker compose {' '.join(train)}",
        seen=(said or done.seen.splitlines())[-1], expected="v3: registered as churn version ...",
        why="a version is called what its configuration says, and has to be one that the service knows", read="mlflow-flask/README.md#make-it-yours",
    )  # fmt: skip
    up = bench.compose("up", "--build", "--detach", "--wait", env=env, timeout=900)
    bench.expect(
        up.code == 0, "MLflow and the service are healthy", did="docker compose up -d --build --wait", seen=up.seen.splitlines()[-1],
        expected="exit code 0", why="the service starts with the models of its image, whatever the registry has", read="mlflow-flask/README.md#how-it-works",
    )  # fmt: skip
    rows = customers(bench)
    answers: dict = {}

    def ask(version: str) -> str:
        """The version that answered and where it came from, or what is wrong."""
        text = bench.get(port, f"/predict?model={version}", rows)
        answers[version] = json.loads(text) if text.startswith("{") else {}
        model = answers[version].get("model")
        return f"{model['version']} ({model['source']})" if model else text[:200] or "no answer"

    bench.expect(
        bench.wait(lambda: ask("v3") == "v3 (registry)", 60), "The service answers with v3", did="POST /predict?model=v3, 20 customers",
        seen=ask("v3"), expected="v3 (registry)", why="the service asks the registry for the aliases that it knows, and for no others", read=what_answers,
    )  # fmt: skip
    old = [ask(version)[:2] for version in ("v1", "v2")]
    bench.expect(
        old == ["v1", "v2"], "v1 and v2 still answer", did="POST /predict?model=v1, and v2", seen=f"{ask('v1')}, {ask('v2')}",
        expected="v1, v2", why="who relies on an old version asks for it by name", read=what_answers,
    )  # fmt: skip
    twins = [version for version in ("v1", "v2") if answers[version]["predictions"] == answers["v3"]["predictions"]]  # fmt: skip
    bench.expect(
        not twins, "v3 is a model of its own", did="compared what they say of the same customers", seen=f"the same 20 answers as {' '.join(twins)}",
        expected="other probabilities", why="the same classifier, parameters and data make the same model", read="mlflow-flask/README.md#make-it-yours",
    )  # fmt: skip
