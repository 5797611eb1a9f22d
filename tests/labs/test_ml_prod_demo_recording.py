"""Lab 3 with all that production has: every prediction recorded once, listed, and seen by Prometheus."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest
from docker_cli import docker, wait_until
from iris_api import SETOSA, VIRGINICA, assert_no_input_makes_it_fail
from iris_stack import Prometheus, Stack, record

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
    quiet = {"ApiDown": "inactive", "ErrorRate": "inactive", "RecordsWaiting": "inactive"}
    wait_until(lambda: alerts() == quiet, describe=lambda: str(alerts()))

    # Asked again, it is known: counted and recorded all the same.
    hits = stack.metrics_of_api()["prediction_cache_hits_total"]
    assert httpx.post(f"{stack.url}/predict", json=VIRGINICA).status_code == 200
    assert stack.metrics_of_api()["prediction_cache_hits_total"] == hits + 1
    stack.assert_recorded_once(6)
    assert_no_input_makes_it_fail(stack.url, "--include-path=/predictions")


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
