"""Lab 3, the api: what cannot be right is refused with the field and the reason, and nothing makes it fail."""

from __future__ import annotations

import json
import socket

import httpx
import pytest
from iris_api import SETOSA, Api, assert_no_input_makes_it_fail

pytest_plugins = ["iris_fixtures"]


BAD_FLOWERS = [
    pytest.param(json.dumps({**SETOSA, field: value}).encode(), field, id=f"{field}-{index}")
    for index, (field, value) in enumerate(
        [
            ("sepal_length", "5.1"),
            ("sepal_length", None),
            ("sepal_length", True),
            ("sepal_length", [5.1]),
            ("petal_width", -0.1),
            ("petal_width", 30.1),
            ("petal_width", 10**400),
            ("colour", "blue"),
            ("petal_width", float("nan")),
            ("petal_width", float("inf")),
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
    assert_no_input_makes_it_fail(api.url)

    assert api.metric("http_requests_total", 'code="422"') > 0
    assert api.metric("http_requests_total", 'code="500"') == 0
