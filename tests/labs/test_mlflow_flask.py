"""Lab 5, running: what was trained and registered, MLflow's page, the containers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import httpx
import pytest
from churn import Stack
from docker_cli import Compose, Container, docker
from inside import program
from playwright.sync_api import Page, expect
from posture import violations_of_project
from repository import ROOT

pytest_plugins = ["browser", "churn_stack"]

LAB = ROOT / "mlflow-flask"


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
    """Signature, input example, ONNX and no pickle, and MLflow's own loader predicts with it."""
    printed = stack.train("python", "-c", program("mlflow_flask_registered_files.py"))
    assert "'model.json', 'model.onnx'" in printed, printed
    assert "input_example.json" in printed
    assert ".pkl" not in printed
    assert "8 True" in printed
    assert "(3, 2)" in printed


def test_training_writes_what_it_fitted_to_the_host(stack: Stack) -> None:
    folder = stack.project.folder / "data" / "processed"
    for name in ("preprocess.skops", "label_encoder.skops"):
        assert (folder / name).stat().st_size > 0
        assert (folder / name).stat().st_uid == folder.stat().st_uid


def test_the_sample_is_what_its_generator_makes(stack: Stack) -> None:
    raw = (LAB / "data" / "raw" / "churn.csv").read_text()
    assert raw.count("\n") - 1 >= 2000
    assert stack.train("python", "src/make_sample.py") == raw


def test_the_baked_models_can_be_made_again(stack: Stack) -> None:
    """A new training gives the same numbers and the same answers as the committed files."""
    printed = stack.train("python", "-c", program("mlflow_flask_bake_again.py"))
    assert printed.endswith("same\n")


def test_a_model_whose_onnx_form_differs_is_not_written(stack: Stack) -> None:
    printed = stack.train("python", "-c", program("mlflow_flask_onnx_refused.py"))
    differs, unknown = printed.splitlines()
    assert differs.startswith("the ONNX model differs from scikit-learn's by 0.00")
    assert unknown.startswith("Unknown cannot become ONNX: ")


def put_table(stack: Stack, name: str, text: str, positive: str = "yes") -> str:
    """Write a table into the lab's copy, and a configuration of the data that names it; return the latter's path."""
    (stack.project.folder / f"data/{name}.csv").write_text(text)
    settings = (LAB / "configs" / "data.yaml").read_text().replace("raw/churn", name)
    (stack.project.folder / f"data/{name}.yaml").write_text(settings.replace("yes", positive))
    return f"data/{name}.yaml"


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
    config = put_table(stack, "bad", "\n".join(lines) + "\n")
    command = ["python", "src/train.py", "--data", config, "configs/v1.yaml"]
    done = stack.project("--profile", "train", "run", "--rm", "-T", "train", *command, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_another_classifier_is_one_line_or_gets_one(stack: Stack) -> None:
    printed = stack.train("python", "-c", program("mlflow_flask_other_classifiers.py"))
    without_seed, refused = printed.splitlines()[-2:]
    assert without_seed == "naive_bayes: model.json model.onnx"
    assert re.fullmatch(r"train: /tmp/linear_svc.yaml: .*predict_proba.*", refused), printed


def test_a_model_that_would_not_be_served_is_not_registered(stack: Stack) -> None:
    text = (LAB / "data" / "raw" / "churn.csv").read_text()
    left = "went-to-a-competitor"
    config = put_table(stack, "long", text.replace("yes", left), positive=left)
    before = stack.aliases()
    command = ["python", "src/train.py", "--data", config, "configs/v1.yaml"]
    done = stack.project("--profile", "train", "run", "--rm", "-T", "train", *command, check=False)
    assert done.returncode == 2
    assert f"train: v1: a label is too long: '{left}'" in done.stderr
    assert "Traceback" not in done.stderr
    assert stack.aliases() == before


def test_categories_are_the_words_that_the_table_has(stack: Stack) -> None:
    text = (LAB / "data" / "raw" / "churn.csv").read_text()
    for word, code in (("month-to-month", "01"), ("one-year", "1"), ("two-year", "1e3")):
        text = text.replace(word, code)
    put_table(stack, "coded", text)
    program = (
        "import sys; sys.path.insert(0, 'src'); from pathlib import Path; from trainer.data import prepare; "
        "print(sorted(set(prepare(Path('data/coded.yaml')).train[:, 5])))"
    )
    run = ("--profile", "train", "run", "--rm", "-T", "--no-deps", "train", "python", "-c", program)
    assert stack.project(*run).stdout == "['01', '1', '1e3']\n"


def test_containers_keep_the_posture(stack: Stack) -> None:
    assert violations_of_project(stack.project.project) == []


def test_only_names_of_this_server_are_answered(stack: Stack) -> None:
    def status(host: str) -> int:
        return httpx.get(f"{stack.mlflow}/", headers={"Host": host}, timeout=30).status_code

    for host in ("mlflow", "mlflow:5000", "localhost", "localhost:5001", "127.0.0.1:5001"):
        assert status(host) == 200, host
    assert status("evil.example") == 403


@pytest.mark.parametrize(
    ("variables", "origin"),
    [
        (
            {"ALLOWED_HOSTS": "that-name:5001", "ALLOWED_ORIGINS": "http://that-name:5001"},
            "http://that-name:5001",
        ),
        (
            {"CODESPACE_NAME": "my-space", "MLFLOW_PORT": "5009"},
            "https://my-space-5009.app.github.dev",
        ),
    ],
)
def test_the_page_works_under_another_name(
    stack: Stack,
    run: Callable[..., Container],
    compose: Callable[..., Compose],
    variables: dict[str, str],
    origin: str,
) -> None:
    settings = json.loads(compose("mlflow-flask", **variables)("config", "--format=json").stdout)
    environment = settings["services"]["mlflow"]["environment"]
    options = [f"--env={name}={value}" for name, value in environment.items() if "ALLOWED" in name]
    image = stack.project.container("mlflow").inspect()["Image"]
    container = run(image, options=[*options, "--publish=127.0.0.1::5000"])
    container.wait_healthy()
    url = f"http://127.0.0.1:{container.host_port(5000)}/ajax-api/2.0/mlflow/experiments/search"

    def status(host: str, origin: str) -> int:
        headers = {"Host": host, "Origin": origin}
        return httpx.post(url, headers=headers, json={"max_results": 1}, timeout=30).status_code

    host = origin.partition("://")[2]
    assert status(host, origin) == 200
    assert status(host, "https://evil.example") == 403
    assert status("evil.example", origin) == 403


def test_memory_stays_small(stack: Stack) -> None:
    memory = {
        service: memory_mb(stack.project.container(service)) for service in ("mlapp", "mlflow")
    }
    print(memory)
    assert memory["mlflow"] < 450, memory
    assert memory["mlapp"] < 200, memory


def memory_mb(container: Container) -> float:
    used = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container.id).stdout
    ((number, unit),) = re.findall(r"^([\d.]+)([KMG])iB", used)
    return float(number) * {"K": 1 / 1024, "M": 1, "G": 1024}[unit] * 1.048576


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
