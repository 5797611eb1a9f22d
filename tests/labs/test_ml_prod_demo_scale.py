"""Lab 3 with three api containers behind the proxy: all of them work, and losing one is not noticed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Callable

import httpx
import pytest
from docker_cli import Compose, Container, docker, free_port, wait_until
from iris_api import SETOSA, read_metrics
from iris_stack import parse_metrics, run_secrets_script
from load import Load

LONGEST_WAIT = 8.0  # seconds; what the README says, and room for a busy machine


def scale(compose: Callable[..., Compose], files: str) -> Compose:
    ports = {name: str(free_port()) for name in ("PORT", "PROMETHEUS_PORT")}
    project = compose("ml-prod-demo", COMPOSE_FILE=files, **ports)
    run_secrets_script(project.folder, project.project)
    project.up("--build", "--scale", "api=3")
    return project


@pytest.fixture
def scaled(compose: Callable[..., Compose]) -> Compose:
    return scale(compose, "compose.yaml:production/scale.yaml")


@pytest.fixture
def recorded(compose: Callable[..., Compose]) -> Compose:
    return scale(compose, "compose.yaml:production/compose.yaml:production/scale.yaml")


def predictions_made_by(api: Container) -> int:
    metrics = read_metrics(api, 8000).splitlines()
    return sum(
        int(float(line.split()[-1])) for line in metrics if line.startswith("predictions_total{")
    )


def test_requests_spread_over_three_and_killing_one_fails_none(scaled: Compose) -> None:
    apis = scaled.containers("api")
    assert len(apis) == 3
    assert not any(any(api.inspect()["NetworkSettings"]["Ports"].values()) for api in apis)
    url = f"http://127.0.0.1:{scaled.container('proxy').host_port(8080)}"

    async def scenario() -> Load:
        async with Load(f"{url}/predict", SETOSA, workers=8) as load:
            await load.until_answered(600)
            made = [await asyncio.to_thread(predictions_made_by, api) for api in apis]
            # A third each; chance alone stays far from half of that.
            assert min(made) > sum(made) / 6, made
            await asyncio.to_thread(apis[0].kill)
            await load.until_answered(600)
            # It comes back, and takes its part again.
            await asyncio.to_thread(docker, "start", apis[0].id)
            await asyncio.to_thread(apis[0].wait_healthy)
            await asyncio.to_thread(wait_until, lambda: predictions_made_by(apis[0]) > 50)
            # An orderly end is no different.
            await asyncio.to_thread(docker, "stop", apis[1].id)
            await load.until_answered(300)
        return load

    load = asyncio.run(scenario())
    assert load.failed == {}, scaled.logs()


def test_the_proxy_passes_on_what_the_api_says_and_refuses_what_it_cannot_keep(
    scaled: Compose,
) -> None:
    proxy = scaled.container("proxy")
    address = ("127.0.0.1", proxy.host_port(8080))
    url = f"http://127.0.0.1:{address[1]}"
    refused = httpx.post(f"{url}/predict", json={**SETOSA, "petal_width": "wide"})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/json"
    batch = {"rows": [SETOSA] * 10_000}
    answered = httpx.post(f"{url}/predict/batch", json=batch, timeout=60)
    assert len(answered.json()["predictions"]) == 10_000

    def send(head: bytes, body: bytes) -> socket.socket:
        caller = socket.create_connection(address, timeout=30)
        caller.sendall(b"POST /predict/batch HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
        caller.setblocking(False)
        with contextlib.suppress(OSError):
            caller.send(body)
        caller.settimeout(30)
        return caller

    def answer(caller: socket.socket) -> tuple[bytes, str]:
        head, _, body = caller.recv(4000).partition(b"\r\n\r\n")
        return head.split(b" ")[1], json.loads(body)["field"]

    # 300 MB, announced or not.
    with send(b"Content-Length: 300000000", b"") as caller:
        assert answer(caller) == (b"413", "body")
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with send(b"Transfer-Encoding: chunked", b"") as caller:
        with contextlib.suppress(OSError):
            for _ in range(300):
                caller.sendall(chunk)
        with contextlib.suppress(ConnectionError):
            assert answer(caller) == (b"413", "body")

    # Of 100 halves of 4 MB, as many are kept as fit into its memory.
    with contextlib.ExitStack() as halves:
        head, half = b"Content-Length: 4000000", b" " * 3_900_000
        callers = [halves.enter_context(send(head, half)) for _ in range(100)]
        assert httpx.post(f"{url}/predict", json=SETOSA, timeout=30).status_code == 200
        assert answer(callers[-1]) == (b"503", "proxy")
    state = proxy.inspect()
    assert (state["State"]["OOMKilled"], state["RestartCount"]) == (False, 0)
    wait_until(
        lambda: httpx.post(f"{url}/predict/batch", json=batch, timeout=30).status_code == 200
    )


def test_an_api_that_hangs_costs_seconds_and_doubles_no_record(recorded: Compose) -> None:
    apis = recorded.containers("api")
    url = f"http://127.0.0.1:{recorded.container('proxy').host_port(8080)}"
    sql = ("psql", "-U", "app", "-d", "predictions", "-Atc", "SELECT count(*) FROM predictions")
    requests = 20

    def rows() -> int:
        return int(recorded.container("db").exec(*sql).stdout)

    async def ask() -> tuple[int, float]:
        started = time.monotonic()
        async with httpx.AsyncClient(timeout=60) as client:
            answered = await client.post(f"{url}/predict", json=SETOSA)
        return answered.status_code, time.monotonic() - started

    async def ask_all() -> list[tuple[int, float]]:
        return await asyncio.gather(*(ask() for _ in range(requests)))

    docker("pause", apis[0].id)
    answered = asyncio.run(ask_all())
    docker("unpause", apis[0].id)

    assert {code for code, _ in answered} == {200}
    assert max(took for _, took in answered) < LONGEST_WAIT
    # The one that hung does what it was asked then, too late and for nobody.
    wait_until(
        lambda: sum(map(predictions_made_by, apis)) > requests,
        describe=lambda: f"{answered}\n{read_metrics(apis[0], 8000)}",
    )

    recorder = recorded.container("recorder")

    def all_stored() -> bool:
        seen = parse_metrics(read_metrics(recorder, 9100))
        stored = seen["records_written_total"] + seen["records_repeated_total"]
        return stored == sum(map(predictions_made_by, apis))

    wait_until(all_stored)
    assert rows() == requests
