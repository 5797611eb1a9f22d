"""Lab 5 when something is away, moves, or cannot be trusted: no request fails."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from functools import partial

import pytest
from churn import CUSTOMER, Stack
from docker_cli import docker
from inside import program
from load import Load

pytest_plugins = ["churn_stack"]


def test_no_prediction_fails_while_the_tracking_server_is_away(stack: Stack) -> None:
    before = stack.model()
    assert before["source"] == "registry"

    async def ask() -> Load:
        async with Load(f"{stack.app}/predict", CUSTOMER, workers=4) as load:
            await load.until_answered(50)
            await asyncio.to_thread(stack.project, "kill", "mlflow")
            await asyncio.to_thread(stack.wait_until, lambda: stack.model()["source"] == "baked")
            assert stack.problem()
            await load.until_answered(200)
            await asyncio.to_thread(stack.project, "start", "mlflow")
            await asyncio.to_thread(stack.wait_until, lambda: stack.model() == before, 120)
            assert not stack.problem()
            await load.until_answered(50)
        return load

    load = asyncio.run(ask())
    assert load.failed == {}, load.failed
    assert {answer["model"]["source"] for answer in load.answers} == {"registry", "baked"}


def test_a_service_that_starts_without_a_registry_serves_the_baked_model(stack: Stack) -> None:
    stack.project("stop", "mlflow")
    mlapp = stack.project.container("mlapp")
    docker("restart", mlapp.id)
    mlapp.wait_healthy()
    baked = stack.model()
    assert baked["source"] == "baked"
    assert baked["registry_version"] is None
    assert baked["version"] == "v2"  # the better one of the two in the image

    async def ask() -> Load:
        async with Load(f"{stack.app}/predict", CUSTOMER, workers=4) as load:
            await load.until_answered(50)
            await asyncio.to_thread(stack.project, "start", "mlflow")
            await asyncio.to_thread(
                stack.wait_until, lambda: stack.model()["source"] == "registry", 120
            )
            await load.until_answered(50)
        return load

    load = asyncio.run(ask())
    assert load.failed == {}, load.failed
    assert {answer["model"]["source"] for answer in load.answers} == {"baked", "registry"}


def test_moving_the_alias_changes_what_is_served_and_no_request_fails(stack: Stack) -> None:
    aliases = stack.aliases()
    better, other = aliases["current-v2"], aliases["current-v1"]
    started = stack.project.container("mlapp").inspect()["State"]["StartedAt"]

    async def ask() -> Load:
        async with Load(f"{stack.app}/predict", CUSTOMER, workers=4) as load:
            for version in (other, better):
                await asyncio.to_thread(stack.set_champion, version)
                # The promise is 10 s. The machine that runs this may be busy; the poll is every 3 s.
                await asyncio.to_thread(stack.wait_until, partial(serves, stack, version), 10)
                await load.until_answered(50)
        return load

    load = asyncio.run(ask())
    assert load.failed == {}, load.failed
    assert {answer["model"]["version"] for answer in load.answers} == {"v1", "v2"}
    # An answer comes whole from one model.
    pairs = {(a["model"]["version"], a["probability"]) for a in load.answers}
    assert len(pairs) == 2
    assert stack.project.container("mlapp").inspect()["State"]["StartedAt"] == started


def serves(stack: Stack, version: int, query: str = "") -> bool:
    return stack.model(query)["registry_version"] == version


def test_hostile_models_are_tried_in_a_process_of_their_own(stack: Stack) -> None:
    """Neither code nor memory nor time of whoever tries them is theirs, and what is said of each is why."""
    said = json.loads(stack.train("python", "-c", program("mlflow_flask_hostile_models.py")))
    assert said.pop("unchanged") == "can be served"
    assert said.pop("code was run") is False
    assert said.pop("an endless loop") == "it does not load and predict within 10 s"
    assert len(said) > 20
    for name, reason in said.items():
        assert f"{name} cannot be served: " in reason
    for name in ("400 MB", "400 GB"):
        assert "Failed to allocate memory" in said[name]
    for name in ("a large model", "a large card"):
        assert re.search(r"has more than \d+ bytes$", said[name])
    for name in ("a file of the machine", "a file above"):
        assert "External data path validation failed" in said[name]


def test_a_download_ends_at_the_limit_whatever_the_list_said(
    stack: Stack, run_once: Callable
) -> None:
    command = ("python", "-c", program("mlflow_flask_false_size.py"))
    done = run_once(f"{stack.project.project}-mlapp", *command)
    assert done.stdout == "model.onnx has more than 16000000 bytes\nTrue\n"


@pytest.fixture(scope="module")
def hostile(stack: Stack) -> dict[str, int]:
    """Versions that the registry has, by what they are."""
    names = [
        "unchanged",
        "a pickle",
        "no model.onnx",
        "an endless loop",
        "400 GB",
        "half a file",
        "no ONNX",
    ]
    made = stack.train("python", "-c", program("mlflow_flask_hostile_models.py"), *names)
    versions: dict[str, int] = json.loads(made)
    mlflow = stack.project.container("mlflow")
    enlarge = ("truncate", "--size", "600M")
    mlflow.exec(*enlarge, f"{folder_of(stack, versions['unchanged'])}/more.bin")
    mlflow.exec(*enlarge, f"{folder_of(stack, versions['half a file'])}/model.onnx")
    mlflow.exec("chmod", "000", f"{folder_of(stack, versions['no ONNX'])}/model.onnx")
    return versions


def folder_of(stack: Stack, version: int) -> str:
    """Where the server keeps the files of a version."""
    found = stack.api("model-versions/get", name="churn", version=str(version))["model_version"]
    return "/mlflow/artifacts" + found["source"].removeprefix("mlflow-artifacts:")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a pickle", "protobuf parsing failed"),
        ("no model.onnx", "it has no model.onnx"),
        ("an endless loop", "does not load and predict within 10 s"),
        ("400 GB", "Failed to allocate memory"),
        ("half a file", "model.onnx has 629145600 bytes, more than 16000000"),
        ("no ONNX", "its files do not come: "),
    ],
)
def test_a_version_that_cannot_be_served_changes_nothing(
    stack: Stack, hostile: dict[str, int], name: str, said: str
) -> None:
    served = [f"?model={name}" for name in ("champion", "v1", "v2")]
    before = [stack.model(query) for query in served]
    good = stack.aliases()["current-v1"]
    mlapp = stack.project.container("mlapp")
    workers = mlapp.logs().count("Booting worker")
    stack.set_alias("current-v1", hostile[name])
    start = f"version {hostile[name]}: "
    try:
        stack.wait_until(lambda: (stack.problem() or "").startswith(start))
        assert said in (stack.problem() or "")
        assert [stack.model(query) for query in served] == before
        assert said in mlapp.logs()
    finally:
        stack.set_alias("current-v1", good)
    stack.wait_until(lambda: not stack.problem())
    assert [stack.model(query) for query in served] == before
    assert mlapp.logs().count("Booting worker") == workers
    assert mlapp.exec("find", "/tmp", "-type", "f").stdout == ""


def test_a_third_version_that_never_loaded_changes_nothing(
    stack: Stack, hostile: dict[str, int]
) -> None:
    """Somebody's own, as the README's exercise adds it: the others are served as before."""
    version = hostile["no model.onnx"]
    stack.set_alias("current-v3", version)
    mlapp = stack.project.container("mlapp")
    models, problem = json.loads(
        mlapp.exec("python", "-c", program("mlflow_flask_third_version.py")).stdout
    )
    assert models == {"champion": "registry", "v1": "registry", "v2": "registry"}
    assert problem == f"version {version}: it has no model.onnx"


def test_what_lies_beside_the_model_is_not_downloaded(
    stack: Stack, hostile: dict[str, int]
) -> None:
    good = stack.aliases()["current-v1"]
    # What a download that was killed has left is in nobody's way.
    mlapp = stack.project.container("mlapp")
    mlapp.exec("mkdir", "/tmp/candidate")
    mlapp.exec("touch", "/tmp/candidate/model.onnx.part")
    for version in (hostile["unchanged"], good):
        stack.set_alias("current-v1", version)
        stack.wait_until(partial(serves, stack, version, "?model=v1"))
        assert not stack.problem()
    assert mlapp.exec("find", "/tmp", "-type", "f").stdout == ""


def test_after_an_outage_the_version_before_a_bad_one_is_served(
    stack: Stack, hostile: dict[str, int]
) -> None:
    before = stack.model()
    assert before["source"] == "registry"
    stack.set_champion(hostile["a pickle"])
    stack.wait_until(lambda: stack.problem())
    stack.project("stop", "mlflow")
    stack.wait_until(lambda: stack.model()["source"] == "baked")
    stack.project("start", "mlflow")
    stack.wait_until(lambda: "protobuf" in (stack.problem() or ""), 120)
    assert stack.model() == before
    stack.set_champion(before["registry_version"])
    stack.wait_until(lambda: not stack.problem())


def test_data_survives_down_and_up(stack: Stack) -> None:
    before = stack.aliases()
    stack.project("down")
    stack.project.up()
    assert stack.aliases() == before
    assert stack.model()["registry_version"] == before["champion"]
    logged = stack.project.container("mlapp").exec("cat", "/logs/requests.log").stdout
    assert "mark-of-this-test" in logged or logged.count("\n") > 100
