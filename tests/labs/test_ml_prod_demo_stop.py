"""Lab 3, the api: asked to stop, it answers what it has taken in, and says what it could not record."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator

import pytest
from docker_cli import docker
from iris_api import SETOSA, Api
from load import Load

pytest_plugins = ["iris_fixtures"]


def test_answers_what_is_in_flight_when_it_is_stopped(serve: Callable[..., Api]) -> None:
    api = serve()
    body = json.dumps(SETOSA).encode()
    host, port = api.url.removeprefix("http://").split(":")
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    callers = [socket.create_connection((host, int(port)), timeout=60) for _ in range(10)]
    for caller in callers:
        caller.sendall(head + body[:10])
    # Asked after them, answered after they were taken in.
    assert api.get("/health") == {"status": "ok"}

    api.container.kill("TERM")
    api.container.wait_until(lambda: "Shutting down" in api.container.logs())
    for caller in callers:
        caller.sendall(body[10:])

    for caller in callers:
        answer = b""
        while more := caller.recv(65536):
            answer += more
        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["predicted_class_name"] == "setosa"
    assert api.container.wait() == 0


def test_every_answer_arrives_when_it_is_stopped_under_load(serve: Callable[..., Api]) -> None:
    api = serve()

    async def stop() -> Load:
        async with Load(f"{api.url}/predict", SETOSA, stop_at_error=True, pause=0) as load:
            await load.until_answered(200)
            api.container.kill("TERM")
            await load.until_workers_end()
        return load

    load = asyncio.run(stop())

    assert api.container.wait() == 0
    (stopped,) = re.findall(r'"message": "stopped", "predictions": (\d+)', api.container.logs())
    assert load.ok == int(stopped), "an answer was made and did not arrive"
    # What was not taken in any more is no answer at all, never a wrong one.
    assert set(load.failed) <= {"ConnectError", "ReadError", "RemoteProtocolError", "WriteError"}


@pytest.fixture
def frozen_redis(run: Callable) -> Iterator[str]:
    """The address of a Redis that takes connections and never answers."""
    container = run("redis:8")
    container.wait_until(lambda: container.exec("redis-cli", "ping", check=False).returncode == 0)
    (network,) = container.inspect()["NetworkSettings"]["Networks"].values()
    docker("pause", container.id)
    yield f"redis://{network['IPAddress']}:6379/0"
    docker("unpause", container.id)


def test_says_what_is_lost_when_it_is_stopped_while_redis_hangs(
    serve: Callable[..., Api], frozen_redis: str
) -> None:
    api = serve(f"--env=REDIS_URL={frozen_redis}")
    for _ in range(3):
        assert api.predict(SETOSA).status_code == 200
    # The worst case: a caller who never ends his request takes all the time that requests get.
    host, port = api.url.removeprefix("http://").split(":")
    caller = socket.create_connection((host, int(port)))
    caller.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
    assert api.get("/health") == {"status": "ok"}

    # As compose.yaml has it.
    docker("stop", "--time", "30", api.container.id)

    caller.close()
    assert api.container.inspect()["State"]["ExitCode"] == 0, "it was killed"
    assert '"message": "records lost at the end", "records": 3' in api.container.logs()
