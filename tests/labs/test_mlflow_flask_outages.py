"""Lab 5 when something is away, moves, or cannot be trusted: no request fails."""

from __future__ import annotations

import asyncio
from functools import partial

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


def serves(stack: Stack, version: int) -> bool:
    return stack.model()["registry_version"] == version


def test_a_model_that_holds_code_is_not_served(stack: Stack) -> None:
    """Whoever can write to the registry cannot run code here, whatever the artifact says of itself."""
    before = stack.model()
    evil = int(stack.train("python", "-c", program("mlflow_flask_evil_version.py")).split()[-1])
    stack.set_champion(evil)
    mlapp = stack.project.container("mlapp")
    mlapp.wait_until(lambda: "a registered model cannot be served" in mlapp.logs())
    assert "posix.system" in mlapp.logs()
    assert stack.model() == before
    stack.wait_until(lambda: "posix.system" in (stack.problem() or ""))
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
