"""Ways to break a container for a while. Whatever happens meanwhile, it is mended when the block ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
from docker_cli import Container, docker

# Long enough for a machine that is busy with other things.
WELL_AGAIN_SECONDS = 300

# Sent, and nothing after it.
HALF_A_HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
HALF_A_BODY = (
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Content-Length: 1000\r\n\r\n{"rows": ['
)


@contextmanager
def between(container: Container, breaks: str, mends: str) -> Iterator[None]:
    """From one command of Docker to the other."""
    docker(breaks, container.id)
    try:
        yield
    finally:
        docker(mends, container.id)


def killed(container: Container) -> AbstractContextManager[None]:
    return between(container, "kill", "start")


def stopped(container: Container) -> AbstractContextManager[None]:
    return between(container, "stop", "start")


def paused(container: Container) -> AbstractContextManager[None]:
    """It hangs: connections are taken, and nothing comes."""
    return between(container, "pause", "unpause")


@contextmanager
def slow(container: Container) -> Iterator[None]:
    """It gets a twentieth of a cpu."""
    before = container.inspect()["HostConfig"]["NanoCpus"] / 1e9
    docker("update", "--cpus=0.05", container.id)
    try:
        yield
    finally:
        docker("update", f"--cpus={before}", container.id)


@contextmanager
def slow_callers(url: str, number: int) -> Iterator[None]:
    """So many callers begin to ask and do not go on."""
    address = urlsplit(url)
    with ExitStack() as connections:
        for count in range(number):
            caller = socket.create_connection((address.hostname, address.port), timeout=10)
            connections.enter_context(caller)
            caller.sendall(HALF_A_BODY if count % 2 else HALF_A_HEAD)
        yield


def assert_all_refused(url: str, bodies: dict[str, bytes]) -> None:
    """Each body is answered with 4xx, or the connection is closed on it."""
    wrong = []
    with httpx.Client(timeout=30) as http:
        for name, body in bodies.items():
            try:
                status = http.post(f"{url}/predict", content=body).status_code
            except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                continue
            if not 400 <= status < 500:
                wrong.append(f"{name}: {status}")
    assert not wrong, f"bad requests: {', '.join(wrong)}"
