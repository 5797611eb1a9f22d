"""Lab 3 with all that production has: whatever is killed, no prediction fails, and none is lost or repeated."""

from __future__ import annotations

import asyncio
import json
import time

import httpx
from docker_cli import docker, wait_until
from iris_api import SETOSA
from iris_stack import Stack, off_loop, record
from load import Load

pytest_plugins = ["iris_fixtures"]

OUTAGE_SECONDS = 60


def test_postgres_away_for_a_minute_and_the_recorder_killed_meanwhile(stack: Stack) -> None:
    async def scenario() -> Load:
        async with stack.load(pause=0.1) as load:
            await load.until_answered(100)
            await off_loop(stack["db"].kill)
            back = time.monotonic() + OUTAGE_SECONDS
            await load.until_answered(100)
            # What it had taken and could not commit is with it when it dies.
            await off_loop(stack["recorder"].kill)
            await load.until_answered(100)
            await off_loop(docker, "start", stack["recorder"].id)
            while time.monotonic() < back:
                await load.until_answered(20)
            page = await off_loop(httpx.get, f"{stack.url}/predictions")
            assert page.status_code == 503
            recorder = await off_loop(stack.metrics_of_recorder)
            assert recorder["records_waiting"] > 0
            assert recorder["recorder_connected"] == 0
            await off_loop(docker, "start", stack["db"].id)
            await load.until_answered(100)
        return load

    load = asyncio.run(scenario())
    assert load.failed == {}
    stack["db"].wait_healthy()
    stack.assert_recorded_once(load.ok)
    assert stack.metrics_of_recorder()["records_waiting"] == 0
    assert httpx.get(f"{stack.url}/predictions").status_code == 200


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

    # What a consumer took that never comes back goes to another one. Redis lets the wait for that be set back.
    entry = stack.redis("xadd", "predictions", "*", "record", json.dumps(record()))
    group = ("predictions", "recorder")
    stack.redis("xreadgroup", "group", "recorder", "gone", "streams", "predictions", ">")
    stack.redis("xclaim", *group, "gone", "0", entry, "idle", "3600000", "justid")
    docker("start", stack["recorder"].id)
    stack.assert_recorded_once(load.ok + 1)


def test_redis_away_predictions_go_on_and_every_one_is_accounted_for(stack: Stack) -> None:
    batch = {"rows": [SETOSA] * 10_000}

    async def scenario() -> Load:
        async with stack.load() as load:
            # With the recorder away, records wait in Redis when it is killed.
            await off_loop(docker, "stop", stack["recorder"].id)
            await load.until_answered(100)
            await off_loop(wait_until, lambda: int(stack.redis("xlen", "predictions")) > 0)
            await off_loop(stack["cache"].kill)
            await load.until_answered(200)
            # More than the api holds: what is too much is lost, and counted.
            async with httpx.AsyncClient(timeout=60) as client:
                for _ in range(3):
                    answer = await client.post(f"{stack.url}/predict/batch", json=batch)
                    assert answer.status_code == 200
            await load.until_answered(100)
        return load

    load = asyncio.run(scenario())
    assert load.failed == {}
    made = load.ok + 3 * 10_000
    counts = stack.metrics_of_api()
    assert counts["records_lost_total"] > 0
    assert counts["records_waiting"] > 0
    accounted = ("records_written_total", "records_lost_total", "records_waiting")
    assert sum(counts[name] for name in accounted) == made, counts

    docker("start", stack["cache"].id)
    docker("start", stack["recorder"].id)
    stack["cache"].wait_healthy()
    stack.until_nothing_waits()
    counts = stack.metrics_of_api()
    assert counts["records_written_total"] + counts["records_lost_total"] == made
    # What Redis had acknowledged before it was killed was in its file.
    assert stack.rows() == counts["records_written_total"]
