"""Lab 3 with another model: trained, converted, served, and the same the next time."""

import json
import random

from learn.bench import Bench

TITLE = "A random forest in place of the linear model"
MINUTES = 15
LAB = "ml-prod-demo"
SLOW = "Half a minute; some more, and downloads, where this machine has not built lab 3 yet."
HINTS = (
    "Only train/train.py has to change: look for LogisticRegression. The api does not care which kind of model an ONNX file holds.",
    "sklearn.ensemble has the class. Both the joblib and the ONNX file are made from the variable `model`: leave it at one.",
    "A forest draws random numbers while it is fitted. Which argument of RandomForestClassifier makes it draw the same ones each time?",
)
MUST_SAY = {
    "start": "LogisticRegression",
    "wrong-one-tree": "DecisionTreeClassifier",
    "wrong-old-onnx": "LinearClassifier",
    "wrong-random": "sha256 of iris_logreg.onnx was",
}
look = """
import hashlib, joblib, json, onnx, sys
content, saved = open('/models/iris_logreg.onnx', 'rb').read(), joblib.load('/models/iris_logreg.joblib')
kinds = [node.op_type for node in onnx.load_from_string(content).graph.node]
said = saved['target_names'][saved['model'].predict([json.loads(sys.argv[1])])[0]]
print(json.dumps([hashlib.sha256(content).hexdigest(), str(saved['model']), kinds, said]))
"""


def check(bench: Bench) -> None:
    run = ("run", "--rm", "--no-deps", "-T")
    done = bench.compose(*run, "--build", "train", timeout=900)
    bench.expect(
        done.code == 0, "It trains", did="docker compose run --rm --build train", seen=done.seen.splitlines()[-1],
        expected="exit code 0", why="train also compares what ONNX Runtime says with what scikit-learn says", read="ml-prod-demo/README.md#how-it-works",
    )  # fmt: skip
    flower = [round(random.uniform(*ends), 1) for ends in ((4, 8), (2, 4.5), (1, 7), (0.1, 2.5))]

    def look_at_model() -> list:
        done = bench.compose(*run, "train", "python", "-c", look, str(flower))
        return json.loads(done.out) if done.code == 0 else ["", done.seen.splitlines()[-1], [], ""]

    sha256, model, kinds, said = look_at_model()
    bench.expect(
        "RandomForestClassifier" in model, "The model in iris_logreg.joblib is a random forest",
        did="loaded it from the volume, in the image of train", seen=model, expected="RandomForestClassifier(...)",
        why="what a model is called says nothing; what fit() was called on does", read="ml-prod-demo/README.md#make-it-yours",
    )  # fmt: skip
    bench.expect(
        any("TreeEnsemble" in kind for kind in kinds), "The model in iris_logreg.onnx is one, too",
        did="looked at the nodes of its graph", seen=", ".join(kinds), expected="TreeEnsembleClassifier among them",
        why="the api loads the .onnx file, and never sees the .joblib", read="ml-prod-demo/README.md#onnx-or-scikit-learn",
    )  # fmt: skip
    port = bench.free_port()
    up = bench.compose("up", "--build", "--detach", "--wait", env={"PORT": str(port)}, timeout=900)
    again, *_ = look_at_model()
    bench.expect(
        up.code == 0 and again == sha256, "Trained again, it is the same model", did="docker compose up --build --detach --wait",
        seen=up.seen.splitlines()[-1] if up.code else f"sha256 of iris_logreg.onnx was {sha256[:12]}..., is {again[:12]}...",
        expected="a healthy api, and the same sha256", why="each tree is fitted to rows and columns that are drawn at random", read="ml-prod-demo/README.md#train-again",
    )  # fmt: skip
    names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    answer = bench.get(port, "/predict", json.dumps(dict(zip(names, flower))))
    served = sha256 in bench.get(port, "/model")
    bench.expect(
        served and f'"predicted_class_name":"{said}"' in answer, "The api serves it",
        did=f"POST /predict, {flower}", seen=answer or "no answer", expected=f"{said}, as scikit-learn says",
        why="the api serves what metrics.json vouches for, by its sha256", read="ml-prod-demo/README.md#how-it-works",
    )  # fmt: skip
