"""Lab 3 with all that production has: every prediction recorded once, listed, and seen by Prometheus."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from docker_cli import docker, wait_until
from inside import INSIDE
from iris_api import SERVE, SETOSA, VIRGINICA, assert_no_input_makes_it_fail
from iris_stack import Prometheus, Stack, record
from repository import ROOT

pytest_plugins = ["iris_fixtures"]


def test_predictions_are_recorded_listed_and_scraped(stack: Stack) -> None:
    for flower in (SETOSA, VIRGINICA):
        assert httpx.post(f"{stack.url}/predict", json=flower).status_code == 200
    rows = [SETOSA] * 3
    assert httpx.post(f"{stack.url}/predict/batch", json={"rows": rows}).status_code == 200
    stack.assert_recorded_once(5)

    page = httpx.get(f"{stack.url}/predictions", params={"limit": 4}).json()["predictions"]
    assert [row["class_name"] for row in page] == ["setosa"] * 3 + ["virginica"]
    assert page[3]["features"] == list(VIRGINICA.values())
    assert sum(page[3]["probabilities"]) == pytest.approx(1, abs=1e-5)
    plan = stack.sql(
        "SET enable_seqscan = off; EXPLAIN SELECT * FROM predictions ORDER BY time DESC, id DESC LIMIT 9"
    )
    assert "predictions_newest_first" in plan and "Sort" not in plan

    prometheus = Prometheus(stack["prometheus"])
    value, alerts = prometheus.value, prometheus.alerts

    wait_until(
        lambda: value('records_written_total{job="recorder"}') == 5, describe=stack.project.logs
    )
    wait_until(lambda: value("sum(predictions_total)") == 5, describe=stack.project.logs)
    assert value('min(up{job=~"api|recorder"})') == 1

    # Prometheus may be up before the api: ApiDown is pending then, until it is evaluated again.
    wait_until(lambda: set(alerts().values()) == {"inactive"}, describe=lambda: str(alerts()))

    # Asked again, it is known: counted and recorded all the same.
    hits = stack.metrics_of_api()["prediction_cache_hits_total"]
    assert httpx.post(f"{stack.url}/predict", json=VIRGINICA).status_code == 200
    assert stack.metrics_of_api()["prediction_cache_hits_total"] == hits + 1
    stack.assert_recorded_once(6)
    assert_no_input_makes_it_fail(stack.url, "--include-path=/predictions")

    # Five callers at once with the largest batch there is: whatever is answered is recorded.
    with ThreadPoolExecutor(5) as callers:
        list(callers.map(send_largest_batch, [stack.url] * 5))
    stack.assert_recorded_once(6 + 5 * 10_000)


def send_largest_batch(url: str) -> None:
    """As a caller does it: sent again when it is told to."""
    body = {"rows": [SETOSA] * 10_000}

    def is_taken() -> bool:
        answer = httpx.post(f"{url}/predict/batch", json=body, timeout=60)
        assert answer.status_code == 200 or answer.headers["Retry-After"] == "1"
        return answer.status_code == 200

    wait_until(is_taken, interval=1)


def test_what_cannot_be_stored_is_put_aside_and_holds_nothing_up(stack: Stack) -> None:
    sent_twice = str(uuid.uuid4())
    records = [
        record(id=sent_twice),
        record(id=sent_twice),
        record(id="no uuid"),
        record(time="2026-01-02T03:04:05"),
        record(class_index=2**40),
        record(model_version="a\0b"),
        record(class_name="\ud800"),
        {"id": str(uuid.uuid4())},
        [],
    ]
    payloads = [*map(json.dumps, records), "not JSON", "[" * 50_000]
    # While it is stopped: it meets them all in one batch.
    docker("stop", stack["recorder"].id)
    for payload in payloads:
        stack.redis("xadd", "predictions", "*", "record", payload)
    stack.redis("xadd", "predictions", "*", "other", "field")
    last = str(uuid.uuid4())
    stack.redis("xadd", "predictions", "*", "record", json.dumps(record(id=last)))
    docker("start", stack["recorder"].id)

    stack.until_nothing_waits()
    assert set(stack.sql("SELECT id FROM predictions").split()) == {sent_twice, last}
    assert int(stack.redis("xlen", "predictions:bad")) == len(payloads) - 2 + 1
    metrics = stack.metrics_of_recorder()
    assert metrics["records_bad_total"] == len(payloads) - 2 + 1
    assert metrics["records_repeated_total"] == 1
    stored = stack.sql("SELECT time, features, probabilities FROM predictions LIMIT 1")
    assert stored == "2026-01-02 03:04:05.678+00|{5.1,3.5,1.4,0.2}|{0.9,0.1,0}"
    assert "Traceback" not in stack["recorder"].logs()

    # Redis came back without its data, so without the group: it is made anew.
    stack.redis("flushall")
    stack.redis("xadd", "predictions", "*", "record", json.dumps(record()))
    wait_until(lambda: stack.rows() == 3, describe=stack.project.logs)

    # What somebody else put among the cached predictions is not taken.
    version = httpx.get(f"{stack.url}/model").json()["version"]
    foreign = {
        "nonsense": "[0,[1,0,0]]",
        json.dumps(list(SETOSA.values())): "[9,[1]]",
        json.dumps(list(VIRGINICA.values())): "{",
    }
    for features, outcome in foreign.items():
        stack.redis("set", f"prediction:{version}:{features}", outcome)
    docker("restart", stack["api"].id)
    stack["api"].wait_healthy()
    for rows in (5, 7):
        for flower, name in [(SETOSA, "setosa"), (VIRGINICA, "virginica")]:
            answer = httpx.post(f"{stack.url}/predict", json=flower)
            assert answer.json()["predicted_class_name"] == name
        stack.until_nothing_waits()
        assert stack.rows() == rows
    assert "recording fails" not in stack["api"].logs()

    # What holds everything up is told, and ends when its cause does.
    stack.redis("set", "predictions", "no stream")
    wait_until(lambda: "WRONGTYPE" in str(problem(stack)), describe=stack.project.logs)
    failures = re.search(
        r'^task_failures_total{task="recording"} (\S+)$',
        httpx.get(f"{stack.url}/metrics").text,
        re.MULTILINE,
    )
    assert failures and float(failures[1]) > 0
    assert httpx.post(f"{stack.url}/predict", json=SETOSA).status_code == 200
    stack.redis("del", "predictions")
    wait_until(lambda: stack.rows() == 8, describe=stack.project.logs)
    wait_until(lambda: problem(stack) is None)


def problem(stack: Stack) -> str | None:
    return httpx.get(f"{stack.url}/ready").json()["problem"]


def test_a_redis_that_became_full_is_drained(stack: Stack) -> None:
    stack["db"].kill()
    # As after hours without a database, in a smaller memory.
    stack.redis("config", "set", "maxmemory", "8mb")
    made = 0
    while not problem(stack):
        send_largest_batch(stack.url)
        made += 10_000
        wait_until(lambda: problem(stack) or stack.metrics_of_api()["records_waiting"] == 0)
    assert "memory" in str(problem(stack))
    wait_until(
        lambda: (
            stack.metrics_of_api()["records_in_stream"] == int(stack.redis("xlen", "predictions"))
        )
    )
    stack["recorder"].kill()

    # The README says how many the stream holds with the memory that it really has.
    page = (ROOT / "ml-prod-demo/production/README.md").read_text()
    promised = int(re.findall(r"about ([\d,]+) records", page)[0].replace(",", ""))
    memory = int(stack.redis("memory", "usage", "predictions", "samples", "0"))
    held = 128 * 2**20 * int(stack.redis("xlen", "predictions")) / memory
    assert promised * 0.95 < held < promised * 1.2

    docker("start", stack["db"].id)
    docker("start", stack["recorder"].id)
    stack["db"].wait_healthy()
    stack.assert_recorded_once(made)


def test_idle_for_an_hour_it_piles_up_nothing_and_an_unforeseen_error_ends_nothing(
    run_once: Callable, image_of: Callable
) -> None:
    program = f"--volume={INSIDE}/recording_idle.py:/app/recording_idle.py:ro"
    done = run_once(image_of(SERVE), "python", "recording_idle.py", options=[program])

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen.pop("rounds") > 3_000
    # Itself and the writer are the tasks; one more than the queue holds is counted as lost.
    assert seen == {"tasks": 2, "failures": 1, "problems": {}, "written": 60_000, "lost": 1}
    assert done.stderr.count("unforeseen") >= 1
