"""Lab 5's prediction service: what it answers, logs and refuses."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable

import httpx
import pytest
from churn import CUSTOMER, Stack
from docker_cli import Container, free_port
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from inside import program
from repository import ROOT

pytest_plugins = ["churn_stack"]

LAB = ROOT / "mlflow-flask"


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


def test_no_answer_is_larger_than_64_kb(stack: Stack) -> None:
    unknown = {f"column {number} of a row that has too many": 1 for number in range(20_000)}
    rows = {"unknown columns": unknown, "customers": [CUSTOMER] * 1000, "long": {"x" * 900_000: 1}}
    for name, body in rows.items():
        answer = stack.predict(body)
        assert answer.status_code == (200 if name == "customers" else 422)
        assert len(answer.content) < 64_000, name


def test_a_bad_chunk_is_the_callers_error(stack: Stack) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: mlapp\r\nTransfer-Encoding: chunked\r\n\r\n"
    address = ("127.0.0.1", int(stack.project.env["PORT"]))
    for chunk in (b"zz\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}xx0\r\n\r\n"):
        with socket.create_connection(address, timeout=30) as connection:
            connection.sendall(head + chunk)
            answer = connection.recv(1000)
        assert answer.startswith(b"HTTP/1.1 400 "), answer


def send(stack: Stack, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(stack.project.env["PORT"])))
    connection.settimeout(60)
    connection.sendall(sent)
    return connection


def test_half_sent_requests_keep_nobody_waiting(stack: Stack) -> None:
    """Fifty heads that never end and forty bodies that never come are timed out, and others are answered meanwhile."""
    head = b"POST /predict HTTP/1.1\r\nHost: mlapp\r\n"
    began = time.monotonic()
    heads = [send(stack, head + b"X-Half: ") for _ in range(50)]
    bodies = [
        send(stack, head + b"Content-Length: 999999\r\n\r\n" + b" " * 900_000) for _ in range(40)
    ]
    mlapp = stack.project.container("mlapp")
    for _ in range(20):
        assert httpx.get(f"{stack.app}/health", timeout=5).status_code == 200
        assert stack.predict().status_code == 200
    assert time.monotonic() - began < 10, "it answered only after the half-sent requests had ended"
    assert [connection.recv(1000) for connection in heads] == [b""] * 50
    for connection in bodies:
        assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")
        connection.close()
    assert mlapp.inspect()["RestartCount"] == 0
    assert "WORKER TIMEOUT" not in mlapp.logs()


def test_a_caller_that_asks_on_and_on_is_not_answered_alone(stack: Stack) -> None:
    """Who asks while a thousand requests of one connection wait is answered among them, not after them."""
    body = json.dumps(CUSTOMER).encode()
    head = b"POST /predict HTTP/1.1\r\nHost: mlapp\r\nContent-Type: application/json\r\n"
    request = head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    with send(stack, request * 1000) as greedy:
        answered = greedy.recv(100_000)
        assert stack.predict().status_code == 200
        greedy.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while more := greedy.recv(100_000):
                answered += more
    assert answered.count(b"HTTP/1.1 200 ") < 500


@pytest.mark.parametrize("port", [9, 5000], ids=["nobody there", "another service there"])
def test_the_password_of_the_registry_is_not_shown(
    stack: Stack, run: Callable[..., Container], port: int
) -> None:
    uri = f"MLFLOW_TRACKING_URI=http://me:the-password@127.0.0.1:{port}"
    container = run(f"{stack.project.project}-mlapp", options=["-p", "127.0.0.1::5000", "-e", uri])
    container.wait_healthy()
    url = f"http://127.0.0.1:{container.host_port(5000)}/models"
    problem = container.wait_until(lambda: httpx.get(url).json()["registry"]["problem"])
    assert "127.0.0.1" in problem
    assert "the-password" not in problem
    assert "the-password" not in container.logs()


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


def test_the_log_file_is_rotated_by_size(stack: Stack, run_once: Callable) -> None:
    command = ("python", "-c", program("mlflow_flask_rotate.py"))
    done = run_once(f"{stack.project.project}-mlapp", *command)
    assert "['a.log', 'a.log.1', 'a.log.2', 'a.log.3'] True" in done.stderr


def test_the_smoke_script_sees_a_good_stack_and_a_broken_one(stack: Stack) -> None:
    done = stack.project("--profile", "smoke", "run", "--rm", "-T", "smoke")
    assert "all checks passed" in done.stdout
    broken = subprocess.run(
        ["python3", LAB / "src" / "smoke.py", stack.app, f"http://127.0.0.1:{free_port()}"],
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
        ("MLFLOW_TRACKING_URI=ftp://me:a-word@host", "MLFLOW_TRACKING_URI='ftp://***@host'"),
        ("LOG_FILE=/nowhere/a.log", "LOG_FILE='/nowhere/a.log': cannot be written"),
    ],
)
def test_a_bad_setting_gets_one_clear_line(
    stack: Stack, run_once: Callable, variable: str, said: str
) -> None:
    done = run_once(
        f"{stack.project.project}-mlapp", options=["--read-only", "--tmpfs", "/tmp", "-e", variable]
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
