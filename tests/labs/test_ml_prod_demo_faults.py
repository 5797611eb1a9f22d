"""Lab 3 with all that production has: whatever is killed, no prediction fails, and none is lost or repeated."""

from __future__ import annotations

import asyncio
import time

import httpx
from docker_cli import docker, wait_until
from iris_api import SETOSA
from iris_stack import Stack, off_loop
from load import Load

pytest_plugins = ["iris_fixtures"]

# The api asks for a database that is away after 1, 3, 7, 15, 31, 63 s, unless it is told not to be so patient.
OUTAGE_SECONDS = 35


def test_postgres_away_for_half_a_minute_and_the_recorder_killed_meanwhile(stack: Stack) -> None:
    async def scenario() -> Load:
        async with stack.load(pause=0.1) as load:
            await load.until_answered(100)
            await off_loop(stack["db"].kill)
            back = time.monotonic() + OUTAGE_SECONDS
            page = await off_loop(httpx.get, f"{stack.url}/predictions")
            assert page.status_code == 503
            await load.until_answered(100)
            # What it had taken and could not commit is with it when it dies.
            await off_loop(stack["recorder"].kill)
            await load.until_answered(100)
            await off_loop(docker, "start", stack["recorder"].id)
            while time.monotonic() < back:
                await load.until_answered(20)
            recorder = await off_loop(stack.metrics_of_recorder)
            assert recorder["recorder_connected"] == 0
            assert (await off_loop(stack.metrics_of_api))["records_in_stream"] > 0
            await off_loop(docker, "start", stack["db"].id)
            await off_loop(stack["db"].wait_healthy)
            await off_loop(wait_until, lambda: asked(stack) == 200, 10)
            await load.until_answered(100)
        return load

    load = asyncio.run(scenario())
    assert load.failed == {}
    stack.assert_recorded_once(load.ok)

    # Without any traffic, and though a database that hangs raises no error, the recorder tells.
    docker("pause", stack["db"].id)
    wait_until(lambda: stack.metrics_of_recorder()["recorder_connected"] == 0)
    docker("unpause", stack["db"].id)
    wait_until(lambda: stack.metrics_of_recorder()["recorder_connected"] == 1)


def asked(stack: Stack) -> int:
    return httpx.get(f"{stack.url}/predictions").status_code


def test_recorder_killed_again_and_again_loses_nothing_and_repeats_nothing(stack: Stack) -> None:
    async def scenario() -> Load:
        async with stack.load() as load:
            for _ in range(5):
                before = await off_loop(stack.rows)
                await load.until_answered(200)
                # It is at work: somewhere between two commits.
                await off_loop(wait_until, lambda seen=before: stack.rows() > seen)
                await off_loop(stack["recorder"].kill)
                await off_loop(docker, "start", stack["recorder"].id)
        return load

    load = asyncio.run(scenario())
    assert load.failed == {}
    stack.assert_recorded_once(load.ok)

    # Asked to stop, it ends in order.
    docker("stop", stack["recorder"].id)
    assert stack["recorder"].wait() == 0, stack["recorder"].logs()


def test_redis_away_predictions_go_on_and_every_one_is_accounted_for(stack: Stack) -> None:
    batch = {"rows": [SETOSA] * 10_000}

    async def scenario() -> tuple[Load, list[int]]:
        codes = []
        async with stack.load() as load:
            # With the recorder away, records wait in Redis when it is killed.
            await off_loop(docker, "stop", stack["recorder"].id)
            await load.until_answered(100)
            await off_loop(wait_until, lambda: int(stack.redis("xlen", "predictions")) > 0)
            await off_loop(stack["cache"].kill)
            await load.until_answered(200)
            # More than the api holds: it says so, before anything is lost.
            async with httpx.AsyncClient(timeout=60) as client:
                for _ in range(6):
                    answer = await client.post(f"{stack.url}/predict/batch", json=batch)
                    codes.append(answer.status_code)
            assert answer.json()["field"] == "rows"
            assert answer.headers["Retry-After"] == "1"
            await load.until_answered(100)
        return load, codes

    load, codes = asyncio.run(scenario())
    assert load.failed == {}
    assert codes == [200] * 4 + [503] * 2
    made = load.ok + 4 * 10_000
    counts = stack.metrics_of_api()
    assert counts["records_lost_total"] == 0
    assert counts["records_waiting"] > 40_000
    assert counts["records_written_total"] + counts["records_waiting"] == made, counts
    problem = httpx.get(f"{stack.url}/ready").json()["problem"]
    assert problem.startswith("recording: ConnectionError: redis: "), problem

    docker("start", stack["cache"].id)
    docker("start", stack["recorder"].id)
    stack["cache"].wait_healthy()
    # What Redis had acknowledged before it was killed was in its file.
    stack.assert_recorded_once(made)
    assert httpx.get(f"{stack.url}/ready").json()["problem"] is None


def test_a_postgres_that_hangs_is_told_and_is_asked_again_later(stack: Stack) -> None:
    def listed() -> int:
        return httpx.get(f"{stack.url}/predictions", timeout=15).status_code

    assert listed() == 200
    docker("pause", stack["db"].id)
    try:
        assert [listed() for _ in range(6)] == [503] * 6
    finally:
        docker("unpause", stack["db"].id)
    wait_until(lambda: listed() == 200, 30, stack.project.logs)
