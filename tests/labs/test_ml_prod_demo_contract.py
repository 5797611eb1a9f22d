"""Lab 3, the api: what it answers and counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import httpx
import pytest
from iris_api import SETOSA, VERSICOLOR, VIRGINICA, Api

pytest_plugins = ["iris_fixtures"]


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
    api: Api, serve: Callable[..., Api], joblib_image: str, flowers: list[dict]
) -> None:
    joblib = serve(image=joblib_image)
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


def test_takes_the_largest_batch(api: Api) -> None:
    answer = api.predict({"rows": [VIRGINICA] * 10_000}, "/predict/batch")

    assert answer.status_code == 200
    names = [row["predicted_class_name"] for row in answer.json()["predictions"]]
    assert names == ["virginica"] * 10_000


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
    assert "\nmodel_swap_failures_total 0.0\n" in httpx.get(f"{api.url}/metrics").text
