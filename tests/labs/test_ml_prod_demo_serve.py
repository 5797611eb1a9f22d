"""Lab 3, serving: answers, refusals, the page, swapping the model, stopping, all on running containers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from docker_cli import LABEL, Container, docker, wait_until
from load import Load
from posture import violations_of_project
from repository import ROOT

pytest_plugins = ["browser"]

SERVE = "ml-prod-demo/serve"
TRAIN = "ml-prod-demo/train"
SPARE_MB = 181  # the serving image may be this much larger than the base image: under 300 MB in all
UID = os.getuid() or 1234

SETOSA = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
VERSICOLOR = {"sepal_length": 6.0, "sepal_width": 2.7, "petal_length": 4.2, "petal_width": 1.3}
VIRGINICA = {"sepal_length": 6.7, "sepal_width": 3.0, "petal_length": 5.8, "petal_width": 2.3}

# Trains on every row with another regularisation: other coefficients, so another file.
TRAIN_ANOTHER = """
import train
from sklearn.linear_model import LogisticRegression
train.LogisticRegression = lambda **options: LogisticRegression(C=0.5, **options)
train.main()
"""
IRIS_ROWS = """
import json, train
rows = train.load_iris().data.tolist()
print(json.dumps([dict(zip(train.FEATURES, row)) for row in rows]))
"""


@dataclass(frozen=True)
class Api:
    """A running api: the folder that is its /models, its container, its address on loopback."""

    models: Path
    container: Container
    url: str

    def get(self, path: str) -> dict:
        return httpx.get(self.url + path).json()

    def predict(self, body: object, path: str = "/predict") -> httpx.Response:
        return httpx.post(self.url + path, json=body, timeout=60)

    def metric(self, name: str, labels: str = "") -> float:
        """Return the value of the series whose labels contain `labels`; 0 when there is none."""
        text = httpx.get(f"{self.url}/metrics").text
        found = re.search(rf"^{name}(?:\{{[^}}]*{labels}[^}}]*\}})? (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0


def train_into(image: str, folder: Path, *command: str) -> None:
    options = [f"--volume={folder}:/models", f"--user={UID}:{UID}", "--label", LABEL]
    docker("run", "--rm", *options, image, *command)


def start(image: str, models: Path, *options: str) -> Api:
    started = docker(
        "run", "--detach", "--label", LABEL, f"--user={UID}:{UID}", f"--volume={models}:/models:ro",
        "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--publish=127.0.0.1::8000", *options, image,
    )  # fmt: skip
    container = Container(started.stdout.strip())
    try:
        container.wait_healthy()
    except AssertionError:
        docker("rm", "--force", "--volumes", container.id)
        raise
    return Api(models, container, f"http://127.0.0.1:{container.host_port(8000)}")


@pytest.fixture(scope="module")
def trained(image_of: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trained model; not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    folder.chmod(0o777)
    train_into(image_of(TRAIN), folder)
    return folder


@pytest.fixture
def models(trained: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    folder = tmp_path / "models"
    shutil.copytree(trained, folder)
    folder.chmod(0o777)
    return folder


@pytest.fixture(scope="module")
def api(image_of: Callable, trained: Path) -> Iterator[Api]:
    """One api for all tests that only ask."""
    served = start(image_of(SERVE), trained)
    yield served
    docker("rm", "--force", "--volumes", served.container.id)


@pytest.fixture
def serve(image_of: Callable, models: Path) -> Iterator[Callable[..., Api]]:
    """`serve("--env=...", target="joblib")` starts an api of its own on the folder `models`."""
    served: list[Api] = []

    def run(*options: str, target: str | None = None) -> Api:
        served.append(start(image_of(SERVE, target), models, *options))
        return served[-1]

    yield run
    for one in served:
        print(one.container.logs())  # shown when the test failed
        docker("rm", "--force", "--volumes", one.container.id)


@pytest.fixture(scope="module")
def flowers(image_of: Callable, engine: None) -> list[dict]:
    """Every row of iris, as bodies."""
    done = docker("run", "--rm", "--label", LABEL, image_of(TRAIN), "python", "-c", IRIS_ROWS)
    return json.loads(done.stdout)


# Answers


@pytest.mark.parametrize(
    ("flower", "index", "name"),
    [(SETOSA, 0, "setosa"), (VERSICOLOR, 1, "versicolor"), (VIRGINICA, 2, "virginica")],
)
def test_predicts(api: Api, flower: dict, index: int, name: str) -> None:
    answer = api.predict(flower)

    assert answer.status_code == 200
    content = answer.json()
    probabilities = content.pop("probabilities")
    assert content == {
        "predicted_class_index": index,
        "predicted_class_name": name,
        "input": flower,
    }
    assert list(probabilities) == ["setosa", "versicolor", "virginica"]
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert max(probabilities, key=probabilities.get) == name


def test_says_what_it_is(api: Api) -> None:
    content = (api.models / "iris_logreg.onnx").read_bytes()
    metrics = json.loads((api.models / "metrics.json").read_text())
    sha256 = hashlib.sha256(content).hexdigest()

    assert api.get("/health") == {"status": "ok"}
    assert api.get("/ready") == {"status": "ready", "model_version": sha256[:12], "problem": None}
    assert api.get("/model") == {
        "name": "iris_logreg",
        "version": sha256[:12],
        "sha256": sha256,
        "trained_at": metrics["trained_at"],
        "accuracy": metrics["accuracy"],
        "classes": metrics["classes"],
        "runtime": "onnx",
    }
    assert httpx.get(f"{api.url}/docs").status_code == 200


def test_batch_is_the_same_as_single_rows_in_both_runtimes(
    api: Api, serve: Callable[..., Api], flowers: list[dict]
) -> None:
    joblib = serve(target="joblib")
    assert joblib.get("/model")["runtime"] == "joblib"

    answers = {
        one.url: one.predict({"rows": flowers}, "/predict/batch").json()["predictions"]
        for one in (api, joblib)
    }

    assert len(answers[api.url]) == 150
    assert answers[api.url] == answers[joblib.url]
    for number in range(0, 150, 10):
        for one in (api, joblib):
            single = one.predict(flowers[number]).json()
            del single["input"], single["probabilities"]
            assert single == answers[api.url][number]


# Refusals

BAD_FLOWERS = [
    pytest.param(json.dumps(SETOSA | change).encode(), field, id=f"{field}-{index}")
    for index, (change, field) in enumerate(
        [
            ({"sepal_length": "5.1"}, "sepal_length"),
            ({"sepal_length": None}, "sepal_length"),
            ({"sepal_length": True}, "sepal_length"),
            ({"sepal_length": [5.1]}, "sepal_length"),
            ({"petal_width": -0.1}, "petal_width"),
            ({"petal_width": 30.1}, "petal_width"),
            ({"petal_width": 10**400}, "petal_width"),
            ({"colour": "blue"}, "colour"),
            ({"petal_width": float("nan")}, "body"),
            ({"petal_width": float("inf")}, "body"),
        ]
    )
] + [
    pytest.param(b'{"sepal_length": 1, "sepal_width": 1, "petal_length": 1}', "petal_width", id="missing"),
    pytest.param(b"", "body", id="empty"),
    pytest.param(b"[]", "body", id="list"),
    pytest.param(b"not json", "body", id="text"),
    pytest.param(b"\xff\xfe", "body", id="bytes"),
    pytest.param(b'{"\xff": 1}', "body", id="not-utf-8"),
    pytest.param(b"[" * 100_000, "body", id="deep"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "field"), BAD_FLOWERS)
def test_refuses_a_bad_flower(api: Api, body: bytes, field: str) -> None:
    answer = httpx.post(f"{api.url}/predict", content=body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field
    assert len(answer.json()["reason"]) > 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rows": []}, "rows"),
        ({"rows": [SETOSA] * 10_001}, "rows"),
        ({"rows": [SETOSA, SETOSA | {"petal_width": 31}]}, "rows[1].petal_width"),
        ({"rows": [SETOSA, {}]}, "rows[1].sepal_length"),
        ({"rows": SETOSA}, "rows"),
        ({"rows": [SETOSA], "more": 1}, "more"),
        ({}, "rows"),
    ],
)
def test_refuses_a_bad_batch(api: Api, body: dict, field: str) -> None:
    answer = api.predict(body, "/predict/batch")

    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_takes_the_largest_batch(api: Api) -> None:
    answer = api.predict({"rows": [VIRGINICA] * 10_000}, "/predict/batch")

    assert answer.status_code == 200
    names = [row["predicted_class_name"] for row in answer.json()["predictions"]]
    assert names == ["virginica"] * 10_000


@pytest.mark.parametrize("announced", [True, False])
def test_refuses_a_body_that_is_too_long(api: Api, announced: bool) -> None:
    body = b"[" + b" " * 5_000_000 + b"]"
    chunks = (body[at : at + 65536] for at in range(0, len(body), 65536))

    try:
        answer = httpx.post(f"{api.url}/predict", content=body if announced else chunks)
    except httpx.WriteError:
        pass  # it hung up while the rest was still being sent
    else:
        assert (answer.status_code, answer.json()["field"]) == (413, "body")
    assert api.metric("http_requests_total", 'code="413"') >= 1
    assert api.predict(SETOSA).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "code", "field"),
    [
        ("GET", "/nowhere", 404, "path"),
        ("GET", "/predict", 405, "method"),
        ("DELETE", "/model", 405, "method"),
        ("GET", "/predictions", 404, "path"),
        ("GET", "/predictions?limit=0", 422, "limit"),
        ("GET", "/predictions?limit=1001", 422, "limit"),
        ("GET", "/predictions?limit=ten", 422, "limit"),
        ("GET", "/predictions?before=yesterday", 422, "before"),
        ("GET", "/predictions?before=2026-01-01T00:00:00Z,1", 422, "before"),
        ("GET", "/predictions?before=0001-01-01T00:00:00%2B05:00", 422, "before"),
        ("GET", "/predictions?page=2", 422, "page"),
    ],
)
def test_refuses_as_json(api: Api, method: str, path: str, code: int, field: str) -> None:
    answer = httpx.request(method, api.url + path)

    assert (answer.status_code, answer.json()["field"]) == (code, field)
    assert answer.json()["reason"]


def test_a_caller_who_leaves_is_no_error(api: Api) -> None:
    before = api.metric("http_requests_total", 'code="499"')
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")

    api.container.wait_until(lambda: api.metric("http_requests_total", 'code="499"') > before)
    assert "traceback" not in api.container.logs().lower()


def test_no_input_makes_it_fail(api: Api) -> None:
    """Schemathesis asks what /openapi.json allows and forbids, and compares the answers with it."""
    schemathesis = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            schemathesis, "run", f"{api.url}/openapi.json", "--checks=all", "--max-examples=50",
            "--phases=examples,coverage,fuzzing", "--generation-deterministic", "--no-color",
        ],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert api.metric("http_requests_total", 'code="422"') > 0
    assert api.metric("http_requests_total", 'code="500"') == 0


def test_asks_for_the_key(serve: Callable[..., Api], tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter-2\n")
    (tmp_path / "key").chmod(0o644)
    api = serve(
        f"--volume={tmp_path}/key:/run/secrets/key:ro", "--env=API_KEY_FILE=/run/secrets/key"
    )

    for method, path in [("POST", "/predict"), ("POST", "/predict/batch"), ("GET", "/predictions")]:
        for key in (None, "hunter-3", "hunter-2 ä"):
            headers = [(b"x-api-key", key.encode())] if key else []
            answer = httpx.request(method, api.url + path, headers=headers)
            assert (answer.status_code, answer.json()["field"]) == (401, "X-API-Key")
    for path in ("/health", "/ready", "/model", "/metrics", "/"):
        assert httpx.get(api.url + path).status_code == 200
    allowed = httpx.post(f"{api.url}/predict", json=SETOSA, headers={"X-API-Key": "hunter-2"})
    assert allowed.json()["predicted_class_name"] == "setosa"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MODEL_PATH", "/models/iris.pkl"),
        ("MODEL_PATH", "/models/other.onnx"),
        ("LOG_LEVEL", "loud"),
        ("REDIS_URL", "cache:6379"),
        ("REDIS_URL", "redis://cache:port"),
        ("DATABASE_URL", "mysql://db"),
        ("DATABASE_URL", "postgresql://db?colour=blue"),
        ("API_KEY_FILE", "/run/secrets/none"),
        ("API_KEY_FILE", "/dev/null"),
    ],
)
def test_a_bad_setting_ends_it_with_one_line(
    run_once: Callable, image_of: Callable, trained: Path, variable: str, value: str
) -> None:
    options = [f"--volume={trained}:/models:ro", f"--env={variable}={value}"]

    done = run_once(image_of(SERVE), options=options)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    # A missing model is named by its path.
    assert variable in done.stderr or value in done.stderr


# Metrics


def test_counts(api: Api) -> None:
    ok = 'code="200",method="POST",route="/predict"'
    names = ("http_requests_total", "http_request_duration_seconds_count")
    before = {name: api.metric(name, ok) for name in names}
    virginicas = api.metric("predictions_total", 'class_name="virginica"')

    for _ in range(3):
        api.predict(VIRGINICA)
    api.predict({"rows": [VIRGINICA] * 7}, "/predict/batch")
    httpx.get(f"{api.url}/some/path/of/a/caller")

    assert {name: api.metric(name, ok) - before[name] for name in names} == dict.fromkeys(names, 3)
    assert api.metric("predictions_total", 'class_name="virginica"') - virginicas == 10
    assert api.metric("model_info", f'version="{api.get("/model")["version"]}"') == 1
    assert "of/a/caller" not in httpx.get(f"{api.url}/metrics").text
    for name in ("model_swap_failures", "records_written", "records_lost", "prediction_cache_hits"):
        assert f"\n{name}_total 0.0\n" in httpx.get(f"{api.url}/metrics").text
    assert "\nrecords_waiting 0.0\n" in httpx.get(f"{api.url}/metrics").text


# The page


def test_page_predicts_as_its_sliders_move(api: Api, page) -> None:
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))

    page.goto(api.url)
    page.wait_for_function("document.querySelector('#name').textContent === 'setosa'")
    assert page.locator(".class").count() == 3
    wide = page.locator("[data-class=setosa] .fill").bounding_box()["width"]

    for name, value in VIRGINICA.items():
        page.locator(f"input[name={name}]").fill(str(value))
    page.wait_for_function("document.querySelector('#name').textContent === 'virginica'")

    bar = page.locator("[data-class=setosa] .fill")
    wait_until(lambda: bar.evaluate("bar => bar.clientWidth") < wide / 10)
    assert "version" in page.locator("#model").inner_text()
    assert not errors
    assert {url for url in asked if not url.startswith((api.url, "data:"))} == set()


# Swapping the model


def test_swaps_the_model_under_load(
    serve: Callable[..., Api], image_of: Callable, models: Path
) -> None:
    api = serve()
    old = api.get("/model")

    async def swap() -> Load:
        async with Load(f"{api.url}/predict", VERSICOLOR) as load:
            await load.until_answered(100)
            await asyncio.to_thread(
                train_into, image_of(TRAIN), models, "python", "-c", TRAIN_ANOTHER
            )
            swapped = asyncio.to_thread(
                api.container.wait_until, lambda: api.get("/model")["sha256"] != old["sha256"], 15
            )
            await swapped
            await load.until_answered(100)
        return load

    load = asyncio.run(swap())

    assert not load.failed
    assert len({answer["probabilities"]["versicolor"] for answer in load.answers}) == 2
    new = api.get("/model")
    assert new["trained_at"] >= old["trained_at"]
    assert api.get("/ready")["problem"] is None
    assert api.metric("model_swap_failures_total") == 0
    assert api.metric("model_info", f'version="{old["version"]}"') == 0


def truncate(models: Path) -> None:
    content = (models / "iris_logreg.onnx").read_bytes()
    (models / "iris_logreg.onnx").write_bytes(content[:-100])


def rename_a_class(models: Path) -> None:
    """Still a model, but not the one that was trained."""
    content = (models / "iris_logreg.onnx").read_bytes()
    (models / "iris_logreg.onnx").write_bytes(content.replace(b"setosa", b"SETOSA"))


def make_foreign(models: Path) -> None:
    (models / "iris_logreg.onnx").write_bytes(b"a file of somebody else")


def make_foreign_and_vouch(models: Path) -> None:
    make_foreign(models)
    metrics = json.loads((models / "metrics.json").read_text())
    sha256 = hashlib.sha256((models / "iris_logreg.onnx").read_bytes()).hexdigest()
    metrics["files"]["iris_logreg.onnx"]["sha256"] = sha256
    (models / "metrics.json").write_text(json.dumps(metrics))


def remove_model(models: Path) -> None:
    (models / "iris_logreg.onnx").unlink()


def remove_metrics(models: Path) -> None:
    (models / "metrics.json").unlink()


def break_metrics(models: Path) -> None:
    (models / "metrics.json").write_text('{"files": []}')


DAMAGES = [
    truncate, rename_a_class, make_foreign, make_foreign_and_vouch, remove_model, remove_metrics,
    break_metrics,
]  # fmt: skip


def test_a_damaged_model_is_not_taken_into_service(
    serve: Callable[..., Api], image_of: Callable, trained: Path, models: Path
) -> None:
    api = serve()
    version = api.get("/model")["version"]

    for failures, damage in enumerate(DAMAGES, start=1):
        damage(models)
        api.container.wait_until(lambda n=failures: api.metric("model_swap_failures_total") == n)
        ready = api.get("/ready")
        assert (ready["status"], ready["model_version"]) == ("ready", version), damage.__name__
        assert "/models/" in ready["problem"]
        assert api.predict(SETOSA).json()["predicted_class_name"] == "setosa"
        for path in trained.iterdir():
            shutil.copy(path, models)
        api.container.wait_until(lambda: api.get("/ready")["problem"] is None)

    train_into(image_of(TRAIN), models, "python", "-c", TRAIN_ANOTHER)
    api.container.wait_until(lambda: api.get("/model")["version"] != version)


@pytest.mark.parametrize("damage", DAMAGES)
def test_does_not_start_with_a_damaged_model(
    run_once: Callable, image_of: Callable, models: Path, damage: Callable[[Path], None]
) -> None:
    damage(models)

    done = run_once(image_of(SERVE), options=[f"--volume={models}:/models:ro"])

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "/models/" in done.stderr


# Stopping


def test_answers_what_is_in_flight_when_it_is_stopped(serve: Callable[..., Api]) -> None:
    api = serve()
    body = json.dumps(SETOSA).encode()
    host, port = api.url.removeprefix("http://").split(":")
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    callers = [socket.create_connection((host, int(port)), timeout=60) for _ in range(10)]
    for caller in callers:
        caller.sendall(head + body[:10])
    # Asked after them, answered after they were taken in.
    assert api.get("/health") == {"status": "ok"}

    api.container.kill("TERM")
    api.container.wait_until(lambda: "Shutting down" in api.container.logs())
    for caller in callers:
        caller.sendall(body[10:])

    for caller in callers:
        answer = b""
        while more := caller.recv(65536):
            answer += more
        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["predicted_class_name"] == "setosa"
    assert api.container.wait() == 0


def test_every_answer_arrives_when_it_is_stopped_under_load(serve: Callable[..., Api]) -> None:
    api = serve()

    async def stop() -> Load:
        async with Load(f"{api.url}/predict", SETOSA, stop_at_error=True, pause=0) as load:
            await load.until_answered(200)
            api.container.kill("TERM")
            await load.until_workers_end()
        return load

    load = asyncio.run(stop())

    assert api.container.wait() == 0
    (stopped,) = re.findall(r'"message": "stopped", "predictions": (\d+)', api.container.logs())
    assert load.ok == int(stopped), "an answer was made and did not arrive"
    # What was not taken in any more is no answer at all, never a wrong one.
    assert set(load.failed) <= {"ConnectError", "ReadError", "RemoteProtocolError", "WriteError"}


# The image and the lab as a whole


def test_image_is_within_its_budget(image_of: Callable) -> None:
    def megabytes(image: str) -> float:
        return int(docker("image", "inspect", "--format", "{{.Size}}", image).stdout) / 1e6

    assert megabytes(image_of(SERVE)) - megabytes("python:3.13-slim") < SPARE_MB


@pytest.mark.parametrize("folder", [SERVE, TRAIN])
def test_onnxruntime_reports_to_nobody(image_of: Callable, run_once: Callable, folder: str) -> None:
    # It writes an identifier of the machine when it is about to report, or says that it could not.
    look = "import onnxruntime, pathlib; print(*pathlib.Path('/tmp').rglob('*'))"

    done = run_once(image_of(folder), "python", "-c", look, options=["--read-only", "--tmpfs=/tmp"])

    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "", "")


def test_serving_image_has_no_scikit_learn(run_once: Callable, image_of: Callable) -> None:
    done = run_once(image_of(SERVE), "python", "-c", "import sklearn")

    assert "ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize("runtime", ["onnx", "joblib"])
def test_lab_comes_up_by_itself(compose: Callable, runtime: str) -> None:
    lab = compose("ml-prod-demo", PORT="0", RUNTIME=runtime, HOST_UID=str(UID), HOST_GID=str(UID))

    lab.up("--build")

    assert "Test accuracy: 0.967" in lab("logs", "train").stdout
    sample = lab("exec", "-T", "api", "python", "sample.py").stdout
    assert '"predicted_class_name": "setosa"' in sample
    assert violations_of_project(lab.project) == []
    url = f"http://127.0.0.1:{lab.container('api').host_port(8000)}"
    first = httpx.get(f"{url}/model").json()
    assert first["runtime"] == runtime

    lab("run", "--rm", "train")

    lab.container("api").wait_until(
        lambda: httpx.get(f"{url}/model").json()["trained_at"] != first["trained_at"]
    )


def test_an_edit_is_served_at_once(compose: Callable) -> None:
    lab = compose("ml-prod-demo", PORT="0", HOST_UID=str(UID), HOST_GID=str(UID))
    if os.getuid() == 0:
        for path in (lab.folder / "serve").iterdir():
            os.chown(path, 4321, 4321)
    files = ["-f", "compose.yaml", "-f", "compose.dev.yaml"]
    lab(*files, "up", "--build", "--detach", "--wait")
    url = f"http://127.0.0.1:{lab.container('api').host_port(8000)}"
    app = lab.folder / "serve/app.py"

    for word in ("fine", "better"):
        text = re.sub(r'\{"status": "\w+"\}', f'{{"status": "{word}"}}', app.read_text())
        app.write_text(text)
        lab.container("api").wait_until(lambda word=word: status(url) == {"status": word})


def status(url: str) -> dict | None:
    """Return the answer of /health, or None while the process starts anew."""
    try:
        return httpx.get(f"{url}/health").json()
    except httpx.TransportError:
        return None


def test_readme_names_every_setting() -> None:
    readme = (ROOT / "ml-prod-demo/README.md").read_text()
    settings = (ROOT / SERVE / "settings.py").read_text()
    for name in re.findall(r'"([A-Z_]{5,})"', settings):
        assert name in {"DEBUG", "WARNING", "ERROR"} or name in readme, name
