"""Lab 5, running: training, registry, prediction service, and what happens when one of them is away."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from churn import CUSTOMER
from docker_cli import LABEL, Compose, Container, docker, free_port, wait_until
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from load import Load
from playwright.sync_api import Page, expect
from posture import violations_of_project
from repository import ROOT

pytest_plugins = ["browser"]

LAB = ROOT / "mlflow-flask"
# Root inside would pass where any other uid fails.
UID, GID = (1000, 1000) if os.getuid() == 0 else (os.getuid(), os.getgid())


def copy_of_git(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("*.skops.new", "__pycache__", ".secrets", ".env")
    shutil.copytree(LAB, folder, ignore=ignored)
    for path in (folder / "data").rglob("*"):
        os.chown(path, UID, GID)
    return folder


@dataclass
class Stack:
    """The lab as a running compose project, with both services' URLs on the host."""

    project: Compose

    @property
    def app(self) -> str:
        return f"http://127.0.0.1:{self.project.env['PORT']}"

    @property
    def mlflow(self) -> str:
        return f"http://127.0.0.1:{self.project.env['MLFLOW_PORT']}"

    def predict(self, body: object = None, query: str = "") -> httpx.Response:
        return httpx.post(f"{self.app}/predict{query}", json=body or CUSTOMER, timeout=30)

    def model(self, query: str = "") -> dict:
        """Return which model answers."""
        answer = self.predict(query=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["model"]

    def api(self, path: str, **params: str) -> dict:
        answer = httpx.get(f"{self.mlflow}/api/2.0/mlflow/{path}", params=params, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def aliases(self) -> dict[str, int]:
        found = self.api("registered-models/get", name="churn")["registered_model"]["aliases"]
        return {one["alias"]: int(one["version"]) for one in found}

    def set_champion(self, version: int) -> None:
        body = {"name": "churn", "alias": "champion", "version": str(version)}
        url = f"{self.mlflow}/api/2.0/mlflow/registered-models/alias"
        assert httpx.post(url, json=body, timeout=30).status_code == 200

    def train(self, *command: str) -> str:
        done = self.project("--profile", "train", "run", "--rm", "-T", "train", *command)
        return done.stdout

    def wait_until(self, predicate: Callable[[], object], timeout: float = 60) -> None:
        wait_until(predicate, timeout, describe=self.project.logs)


@pytest.fixture(scope="module")
def stack(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both services up, both versions trained. A test that breaks something puts it right again."""
    folder = copy_of_git(tmp_path_factory.mktemp("stack") / "mlflow-flask")
    ports = {"PORT": str(free_port()), "MLFLOW_PORT": str(free_port())}
    project = Compose(folder, {"HOST_UID": str(UID), "HOST_GID": str(GID), **ports})
    stack = Stack(project)
    try:
        project.up("--build", timeout=900)
        assert stack.model()["source"] == "baked"
        project("--profile", "train", "build", "train", timeout=900)
        printed = stack.train()
        assert "champion: version 2, ROC AUC 0.835" in printed, printed
        stack.wait_until(lambda: stack.model()["source"] == "registry")
        yield stack
    finally:
        project.down()


# --- what was trained --------------------------------------------------------------------------------------


def test_training_logs_both_runs_and_the_better_one_is_champion(stack: Stack) -> None:
    experiment = stack.api("experiments/get-by-name", experiment_name="churn")["experiment"]
    url = f"{stack.mlflow}/api/2.0/mlflow/runs/search"
    body = {"experiment_ids": [experiment["experiment_id"]]}
    runs = httpx.post(url, json=body, timeout=30).json()["runs"]
    by_classifier = {}
    for run in runs:
        params = {one["key"]: one["value"] for one in run["data"]["params"]}
        metrics = {one["key"]: one["value"] for one in run["data"]["metrics"]}
        assert len(params["data_sha256"]) == 64
        files = {
            one["path"]
            for one in stack.api("artifacts/list", run_id=run["info"]["run_id"])["files"]
        }
        assert {"roc.png", "confusion_matrix.png"} <= files
        by_classifier[params["classifier"]] = metrics["roc_auc"]
    assert by_classifier["gradient_boosting"] > by_classifier["logistic_regression"] + 0.01
    assert stack.aliases()["champion"] == stack.aliases()["current-v2"]


def test_the_registered_model_is_whole(stack: Stack) -> None:
    """Signature, input example, skops and no pickle, and MLflow's own loader takes it."""
    script = """
import mlflow, pathlib
folder = mlflow.artifacts.download_artifacts("models:/churn@champion")
print(sorted(path.name for path in pathlib.Path(folder).iterdir()))
info = mlflow.models.get_model_info(folder)
print(len(info.signature.inputs.inputs), info.saved_input_example_info is not None)
"""
    printed = stack.train("python", "-c", script)
    assert "'model.json', 'model.skops'" in printed, printed
    assert "input_example.json" in printed
    assert ".pkl" not in printed
    assert "8 True" in printed


def test_training_writes_what_it_fitted_to_the_host(stack: Stack) -> None:
    folder = stack.project.folder / "data" / "processed"
    for name in ("preprocess.skops", "label_encoder.skops"):
        assert (folder / name).stat().st_size > 0
        assert (folder / name).stat().st_uid == UID


def test_the_sample_is_what_its_generator_makes(stack: Stack) -> None:
    raw = (LAB / "data" / "raw" / "churn.csv").read_text()
    assert raw.count("\n") - 1 >= 2000
    assert stack.train("python", "src/sample.py") == raw


def test_the_baked_models_can_be_made_again(stack: Stack) -> None:
    """A new training gives the same numbers and the same answers as the committed files."""
    script = """
import json, pathlib, sys
sys.path.insert(0, "src")
import train, predict, pandas
train.main(["--bake", "/tmp/new", "configs/v1.yaml", "configs/v2.yaml"])
rows = pandas.read_csv("data/raw/churn.csv").drop(columns="churn").head(300).to_dict("records")
for version in ("v1", "v2"):
    old, new = pathlib.Path("models", version), pathlib.Path("/tmp/new", version)
    assert json.loads((old / "model.json").read_text()) == json.loads((new / "model.json").read_text())
    a, b = predict.Model.load(old).predict(rows), predict.Model.load(new).predict(rows)
    assert len(a) == 300
    assert all(abs(x["probability"] - y["probability"]) < 1e-6 for x, y in zip(a, b)), version
print("same")
"""
    assert stack.train("python", "-c", script).endswith("same\n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("old,", "x,"), "column tenure_months, row 1: 'x' is not a number from 0 to 600"),
        (("old,", ","), "column tenure_months, row 1: empty"),
        (("contract", "deal"), "no column contract; found: tenure_months"),
    ],
)
def test_bad_data_gets_one_clear_line(stack: Stack, change: tuple[str, str], said: str) -> None:
    lines = (LAB / "data" / "raw" / "churn.csv").read_text().splitlines()[:200]
    if change[0] == "old,":
        lines[1] = change[1] + lines[1].split(",", 1)[1]
    else:
        lines[0] = lines[0].replace(*change)
    table = stack.project.folder / "data" / "bad.csv"
    table.write_text("\n".join(lines) + "\n")
    settings = (LAB / "configs" / "data.yaml").read_text().replace("raw/churn.csv", "bad.csv")
    (stack.project.folder / "data" / "bad.yaml").write_text(settings)
    command = ["python", "src/train.py", "--data", "data/bad.yaml", "configs/v1.yaml"]
    done = stack.project("--profile", "train", "run", "--rm", "-T", "train", *command, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


# --- what the service answers ------------------------------------------------------------------------------


def test_one_row_and_a_list_get_the_same_answer(stack: Stack) -> None:
    one = stack.predict().json()
    assert one["prediction"] == "yes"
    assert 0.5 < one["probability"] <= 1
    assert one["model"] == {
        "name": "churn",
        "version": "v2",
        "registry_version": stack.aliases()["champion"],
        "source": "registry",
    }
    many = stack.predict([CUSTOMER] * 3).json()
    assert many["predictions"] == [{key: one[key] for key in ("prediction", "probability")}] * 3


def test_each_version_can_be_asked_for(stack: Stack) -> None:
    assert stack.model("?model=v1")["version"] == "v1"
    assert stack.model("?model=v2")["version"] == "v2"
    first, second = (stack.predict(query=f"?model=v{n}").json()["probability"] for n in (1, 2))
    assert first != second
    missing = stack.predict(query="?model=v9")
    assert missing.status_code == 404
    assert "champion, v1, v2" in missing.json()["detail"]
    models = httpx.get(f"{stack.app}/models").json()["models"]
    assert {one["model"] for one in models} == {"champion", "v1", "v2"}
    assert all(
        one["source"] == "registry" and 0.5 < one["metrics"]["roc_auc"] < 1 for one in models
    )


def test_an_unknown_category_gets_the_accepted_ones(stack: Stack) -> None:
    answer = stack.predict({**CUSTOMER, "contract": "weekly"})
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["contract"]
    assert problem["accepted"] == ["month-to-month", "one-year", "two-year"]
    second = stack.predict([CUSTOMER, {**CUSTOMER, "internet": "5g"}])
    assert second.json()["detail"][0]["loc"] == [1, "internet"]


BAD_BODIES = [
    (b"", 400),
    (b"{", 400),
    (b"\xff\xfe", 400),
    (b"[" * 100_000, 400),
    (b'{"a":' * 50_000, 400),
    (b"1" * 5000, 400),
    (b"null", 422),
    (b"[]", 422),
    (b"[[]]", 422),
    (b"3", 422),
    (b'"x"', 422),
    (json.dumps([CUSTOMER] * 1001).encode(), 422),
    (json.dumps({**CUSTOMER, "age": True}).encode(), 422),
    (json.dumps({**CUSTOMER, "age": "40"}).encode(), 422),
    (json.dumps({**CUSTOMER, "age": None}).encode(), 422),
    (json.dumps({**CUSTOMER, "age": 17}).encode(), 422),
    (json.dumps({**CUSTOMER, "age": float("nan")}).encode(), 422),
    (json.dumps({**CUSTOMER, "age": float("inf")}).encode(), 422),
    (json.dumps({**CUSTOMER, "age": 10**400}).encode(), 422),
    (json.dumps({**CUSTOMER, "age": [40]}).encode(), 422),
    (json.dumps({**CUSTOMER, "contract": 1}).encode(), 422),
    (json.dumps({**CUSTOMER, "contract": ["one-year"]}).encode(), 422),
    (json.dumps({**CUSTOMER, "contract": "\ud800"}).encode(), 422),
    (json.dumps({**CUSTOMER, "\ud800": 1}).encode(), 422),
    (json.dumps({**CUSTOMER, "more": 1}).encode(), 422),
    (json.dumps({"age": 40}).encode(), 422),
    (b"x" * 1_000_001, 413),
]


@pytest.mark.parametrize(("body", "status"), BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_bad_body_is_the_callers_error(stack: Stack, body: bytes, status: int) -> None:
    answer = httpx.post(f"{stack.app}/predict", content=body, timeout=30)
    assert answer.status_code == status, answer.text[:500]
    assert answer.json()["detail"]
    assert len(answer.content) < 20_000


def test_other_routes_and_methods_are_the_callers_error(stack: Stack) -> None:
    assert httpx.get(f"{stack.app}/predict").status_code == 405
    assert httpx.get(f"{stack.app}/nothing").json()["detail"]
    assert httpx.post(f"{stack.app}/predict?model=%ff%00", json=CUSTOMER).status_code == 404


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
BODIES = st.one_of(
    VALUES,
    st.dictionaries(st.sampled_from([*CUSTOMER, "other"]), VALUES),
    st.builds(lambda name, value: {**CUSTOMER, name: value}, st.sampled_from([*CUSTOMER]), VALUES),
    st.lists(st.just(CUSTOMER) | VALUES, max_size=4),
)


def test_no_json_value_is_the_services_error(stack: Stack) -> None:
    with httpx.Client(timeout=30) as client:

        @hypothesis_settings(
            max_examples=300, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(BODIES)
        def ask(body: object) -> None:
            answer = client.post(f"{stack.app}/predict", content=json.dumps(body).encode())
            assert answer.status_code in {200, 422}, answer.text

        ask()


def test_every_request_is_one_json_line_without_its_body(stack: Stack) -> None:
    mark = "mark-of-this-test"
    secret = {**CUSTOMER, "contract": "secret-of-the-caller"}
    url = f"{stack.app}/predict?model=v1"
    answer = httpx.post(url, json=secret, headers={"X-Request-ID": mark})
    assert answer.headers["X-Request-ID"] == mark
    container = stack.project.container("mlapp")
    in_file = container.exec("cat", "/logs/requests.log").stdout
    for text in (container.logs(), in_file):
        lines = [json.loads(line) for line in text.splitlines()]
        (line,) = [line for line in lines if line.get("request_id") == mark]
        assert line["route"] == "/predict"
        assert line["status"] == 422
        assert line["ms"] > 0
        assert line["model_version"] == "v1 (registry)"
        assert re.fullmatch(r"2\d{3}-\d\d-\d\dT[\d:.]+\+00:00", line["time"])
        assert "secret-of-the-caller" not in text
    # Anything else in that header would let a caller write into the log.
    forged = httpx.get(f"{stack.app}/health", headers={"X-Request-ID": "a b"})
    assert re.fullmatch("[0-9a-f]{32}", forged.headers["X-Request-ID"])


def test_the_log_file_is_rotated_by_size(stack: Stack) -> None:
    script = """
import sys, pathlib, dataclasses, logging.config
sys.path.insert(0, "src")
import logs, settings
logs.FILE_BYTES = 2000
logging.config.dictConfig(logs.configuration(settings.Settings.from_env({"LOG_FILE": "/tmp/x/a.log"})))
for number in range(200):
    logging.getLogger("app").info("line %d", number)
files = sorted(pathlib.Path("/tmp/x").iterdir())
print([path.name for path in files], max(path.stat().st_size for path in files) <= 2000, file=sys.stderr)
"""
    command = f"mkdir /tmp/x && python -c '{script}'"
    done = docker("run", "--rm", "--label", LABEL, "churn-mlapp", "sh", "-c", command)
    assert "['a.log', 'a.log.1', 'a.log.2', 'a.log.3'] True" in done.stderr


# --- what happens when something is away -------------------------------------------------------------------


def test_no_prediction_fails_while_the_tracking_server_is_away(stack: Stack) -> None:
    before = stack.model()
    assert before["source"] == "registry"

    async def load() -> Load:
        async with Load(f"{stack.app}/predict", CUSTOMER, workers=4) as load:
            await load.until_answered(50)
            await asyncio.to_thread(stack.project, "kill", "mlflow")
            await asyncio.to_thread(stack.wait_until, lambda: stack.model()["source"] == "baked")
            assert problem(stack)
            await load.until_answered(200)
            await asyncio.to_thread(stack.project, "start", "mlflow")
            await asyncio.to_thread(stack.wait_until, lambda: stack.model() == before, 120)
            assert not problem(stack)
            await load.until_answered(50)
        return load

    load = asyncio.run(load())
    assert load.failed == {}, load.failed
    assert {answer["model"]["source"] for answer in load.answers} == {"registry", "baked"}


def problem(stack: Stack) -> str | None:
    return httpx.get(f"{stack.app}/models", timeout=30).json()["registry"]["problem"]


def test_a_service_that_starts_without_a_registry_serves_the_baked_model(stack: Stack) -> None:
    stack.project("stop", "mlflow")
    mlapp = stack.project.container("mlapp")
    docker("restart", mlapp.id)
    mlapp.wait_healthy()
    baked = stack.model()
    assert baked["source"] == "baked"
    assert baked["registry_version"] is None
    assert baked["version"] == "v2"  # the better one of the two in the image

    async def load() -> Load:
        async with Load(f"{stack.app}/predict", CUSTOMER, workers=4) as load:
            await load.until_answered(50)
            await asyncio.to_thread(stack.project, "start", "mlflow")
            await asyncio.to_thread(
                stack.wait_until, lambda: stack.model()["source"] == "registry", 120
            )
            await load.until_answered(50)
        return load

    load = asyncio.run(load())
    assert load.failed == {}, load.failed
    assert {answer["model"]["source"] for answer in load.answers} == {"baked", "registry"}


def test_moving_the_alias_changes_what_is_served_and_no_request_fails(stack: Stack) -> None:
    aliases = stack.aliases()
    better, other = aliases["current-v2"], aliases["current-v1"]
    started = stack.project.container("mlapp").inspect()["State"]["StartedAt"]

    async def load() -> Load:
        async with Load(f"{stack.app}/predict", CUSTOMER, workers=4) as load:
            for version in (other, better):
                await asyncio.to_thread(stack.set_champion, version)
                # The promise is 10 s. The machine that runs this may be busy; the poll is every 3 s.
                await asyncio.to_thread(
                    stack.wait_until, lambda v=version: stack.model()["registry_version"] == v, 10
                )
                await load.until_answered(50)
        return load

    load = asyncio.run(load())
    assert load.failed == {}, load.failed
    assert {answer["model"]["version"] for answer in load.answers} == {"v1", "v2"}
    # An answer comes whole from one model.
    pairs = {(a["model"]["version"], a["probability"]) for a in load.answers}
    assert len(pairs) == 2
    assert stack.project.container("mlapp").inspect()["State"]["StartedAt"] == started


def test_a_model_that_holds_code_is_not_served(stack: Stack) -> None:
    """Whoever can write to the registry cannot run code here, whatever the artifact says of itself."""
    before = stack.model()
    script = """
import json, os, pathlib, mlflow, skops.io
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
folder = pathlib.Path("/tmp/evil")
folder.mkdir()
card = json.loads(pathlib.Path("models/v1/model.json").read_text())
(folder / "model.json").write_text(json.dumps({**card, "trusted": ["posix.system"]}))
skops.io.dump(Pipeline([("a", FunctionTransformer(os.system))]), folder / "model.skops")
mlflow.set_experiment("evil")
with mlflow.start_run() as run:
    mlflow.log_artifacts(folder, "model")
    source = mlflow.get_artifact_uri("model")
print(mlflow.MlflowClient().create_model_version("churn", source, run.info.run_id).version)
"""
    evil = int(stack.train("python", "-c", script).split()[-1])
    stack.set_champion(evil)
    mlapp = stack.project.container("mlapp")
    mlapp.wait_until(lambda: "a registered model cannot be served" in mlapp.logs())
    assert "posix.system" in mlapp.logs()
    assert stack.model() == before
    stack.wait_until(lambda: "posix.system" in (problem(stack) or ""))
    stack.set_champion(before["registry_version"])
    stack.wait_until(lambda: not problem(stack))


def test_data_survives_down_and_up(stack: Stack) -> None:
    before = stack.aliases()
    stack.project("down")
    stack.project.up()
    assert stack.aliases() == before
    assert stack.model()["registry_version"] == before["champion"]
    logged = stack.project.container("mlapp").exec("cat", "/logs/requests.log").stdout
    assert "mark-of-this-test" in logged or logged.count("\n") > 100


# --- the containers ----------------------------------------------------------------------------------------


def test_containers_keep_the_posture(stack: Stack) -> None:
    assert violations_of_project(stack.project.project) == []


def test_only_names_of_this_server_are_answered(stack: Stack) -> None:
    def status(host: str) -> int:
        return httpx.get(f"{stack.mlflow}/", headers={"Host": host}, timeout=30).status_code

    for host in ("mlflow", "mlflow:5000", "localhost", "localhost:5001", "127.0.0.1:5001"):
        assert status(host) == 200, host
    assert status("evil.example") == 403


def test_memory_stays_small(stack: Stack) -> None:
    memory = {
        service: memory_mb(stack.project.container(service)) for service in ("mlapp", "mlflow")
    }
    print(memory)
    assert memory["mlflow"] < 450, memory
    assert memory["mlapp"] < 350, memory


def memory_mb(container: Container) -> float:
    used = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container.id).stdout
    number, unit = re.match(r"([\d.]+)([KMG])iB", used).groups()
    return float(number) * {"K": 1 / 1024, "M": 1, "G": 1024}[unit] * 1.048576


def test_the_smoke_script_sees_a_good_stack_and_a_broken_one(stack: Stack) -> None:
    done = stack.project("--profile", "smoke", "run", "--rm", "-T", "smoke")
    assert "all checks passed" in done.stdout
    broken = subprocess.run(
        ["python3", LAB / "src" / "test_container.py", stack.app, f"http://127.0.0.1:{free_port()}"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert broken.returncode == 1
    assert re.search(r"^mlflow is alive +FAILED$", broken.stdout, re.MULTILINE)
    assert re.search(r"^mlapp is alive +ok$", broken.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("LOG_LEVEL=loud", "LOG_LEVEL='loud': must be one of DEBUG, INFO, WARNING, ERROR"),
        ("POLL_SECONDS=often", "POLL_SECONDS='often': must be a number from 0.2 to 3600"),
        ("MLFLOW_TRACKING_URI=mlflow:5000", "MLFLOW_TRACKING_URI='mlflow:5000': must be http"),
        ("LOG_FILE=/nowhere/a.log", "LOG_FILE='/nowhere/a.log': cannot be written"),
    ],
)
def test_a_bad_setting_gets_one_clear_line(
    stack: Stack, run_once: Callable, variable: str, said: str
) -> None:
    done = run_once("churn-mlapp", options=["--read-only", "--tmpfs", "/tmp", "-e", variable])
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_taken_port_gets_one_clear_line(stack: Stack) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        for variable in ("PORT", "MLFLOW_PORT"):
            env = {
                **os.environ,
                "PORT": str(free_port()),
                "MLFLOW_PORT": str(free_port()),
                variable: port,
            }
            env["COMPOSE_PROJECT_NAME"] = "labtest-none"
            done = subprocess.run(
                [ROOT / "setup" / "lab5.sh", "ports"], env=env, capture_output=True, text=True, check=False
            )  # fmt: skip
            assert done.returncode != 0
            assert f"port {port} is taken" in done.stderr
            assert f"'{variable}=" in done.stderr
            assert len(done.stderr.splitlines()) == 1


def test_the_page_shows_experiment_runs_and_model(stack: Stack, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    experiment = stack.api("experiments/get-by-name", experiment_name="churn")["experiment"]
    page.goto(f"{stack.mlflow}/#/experiments")
    expect(page.get_by_text("churn", exact=True).first).to_be_visible()
    page.goto(f"{stack.mlflow}/#/experiments/{experiment['experiment_id']}/runs")
    for run in ("v1 logistic_regression", "v2 gradient_boosting"):
        expect(page.get_by_text(run).first).to_be_visible()
    page.goto(f"{stack.mlflow}/#/models/churn")
    expect(page.get_by_text("champion").first).to_be_visible()
    elsewhere = {url for url in asked if not url.startswith((stack.mlflow, "data:", "blob:"))}
    assert not elsewhere, "the page calls home"
