"""Lab 3 under soak: all of production, three apis behind the proxy, and what breaks of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import httpx
from breaking import (
    WELL_AGAIN_SECONDS,
    assert_all_refused,
    killed,
    paused,
    slow,
    slow_callers,
    stopped,
)
from docker_cli import Compose, Container, docker, free_port, wait_until
from honest_client import HonestClient
from iris_api import SETOSA, read_metrics
from iris_stack import Stack, parse_metrics, run_secrets_script
from repository import copy_of_git

FILES = "compose.yaml:production/compose.yaml:production/scale.yaml"
FIELDS = tuple(SETOSA)
# A row's key is in its lengths, ten bits in each; a 64th of a centimetre is exact in every float.
STEPS = 1024
PER_CM = 64.0
KEY = f"SELECT sum(features[n] * {PER_CM} * {STEPS}.0 ^ (n - 1))::bigint"
# As many rows wait while nothing is wrong: those of a moment.
FEW_WAITING = 1000
BURST_ROWS = 10_000

BAD_REQUESTS = {
    "not JSON": b"setosa",
    "not UTF-8": b'{"sepal_length": "\xff"}',
    "a field is missing": b"{}",
    "a length is NaN": b'{"sepal_length": NaN, "sepal_width": 1, "petal_length": 1, "petal_width": 1}',
    "deeply nested": b"[" * 100_000,
    "too large": b" " * 20_000_000,
}


def flower(key: int) -> dict[str, float]:
    return {name: key // STEPS**n % STEPS / PER_CM for n, name in enumerate(FIELDS)}


class ScaledStack(Stack):
    """The lab with production/compose.yaml and scale.yaml, up and healthy."""

    def __init__(self, project: Compose) -> None:
        self.project = project
        run_secrets_script(project.folder, project.project)
        project.up("--build", "--scale", "api=3")
        services = project("ps", "--services").stdout.split()
        self.apis = project.containers("api")
        self.containers = {one: project.containers(one)[0] for one in services}
        self.url = f"http://127.0.0.1:{self['proxy'].host_port(8080)}"

    def waiting(self) -> int:
        """Records in the queues of the apis and in the stream."""
        queued = [parse_metrics(read_metrics(api, 8000))["records_waiting"] for api in self.apis]
        return int(sum(queued)) + int(self.redis("xlen", "predictions"))


class IrisSoak:
    def __init__(self, folder: Path, random: Random) -> None:
        ports = {"PORT": str(free_port()), "PROMETHEUS_PORT": str(free_port())}
        self.project = Compose(
            copy_of_git("ml-prod-demo", folder), {"COMPOSE_FILE": FILES, **ports}
        )
        self.random = random
        self.kills: list[float] = []

    def start(self) -> None:
        self.stack = ScaledStack(self.project)
        self.client = HonestClient(self.ask)

    def watched(self) -> dict[str, Container]:
        apis = {f"api {number}": api for number, api in enumerate(self.stack.apis, 1)}
        return {**apis, "recorder": self.stack["recorder"]}

    def ask(self, http: httpx.Client, keys: range) -> httpx.Response:
        if len(keys) == 1:
            return http.post(f"{self.stack.url}/predict", json=flower(keys[0]))
        rows = [flower(key) for key in keys]
        # Told to come back later, it asks under the same key again: recorded once. To the others the proxy gives a key.
        headers = {"Idempotency-Key": f"soak-{keys.start}"}
        return http.post(f"{self.stack.url}/predict/batch", json={"rows": rows}, headers=headers)

    def meanwhile(self) -> None:
        """Callers go on asking while something is broken."""
        self.client.until_answered(self.random.randint(50, 200))

    def calm(self, waiting: int = FEW_WAITING) -> None:
        """Wait until everything is well again and what was recorded is stored."""
        for container in self.project.all_containers():
            if container.is_running():
                container.wait_healthy(WELL_AGAIN_SECONDS)
        wait_until(lambda: not self.ready().get("problem"))
        wait_until(lambda: self.stack.waiting() <= waiting, WELL_AGAIN_SECONDS)

    def settle(self) -> None:
        """Nobody asks any more: wait until nothing waits."""
        self.calm(waiting=0)

    def ready(self) -> dict:
        return httpx.get(f"{self.stack.url}/ready", timeout=10).json()

    def log(self) -> str:
        """The last lines of each service."""
        return self.project("--ansi=never", "logs", "--tail=10", check=False).stdout

    def stored(self) -> Counter[int]:
        """How many records there are of each key."""
        keys = self.stack.sql(f"{KEY} FROM predictions, generate_series(1, 4) n GROUP BY id")
        return Counter(map(int, keys.split()))

    def one_api(self) -> Container:
        return self.random.choice(self.stack.apis)


def database_killed(soak: IrisSoak) -> None:
    with killed(soak.stack["db"]):
        soak.meanwhile()


def database_paused(soak: IrisSoak) -> None:
    with paused(soak.stack["db"]):
        soak.meanwhile()


def database_slow(soak: IrisSoak) -> None:
    with slow(soak.stack["db"]):
        soak.meanwhile()


def redis_killed(soak: IrisSoak) -> None:
    with killed(soak.stack["cache"]):
        soak.meanwhile()


def redis_paused(soak: IrisSoak) -> None:
    with paused(soak.stack["cache"]):
        soak.meanwhile()


def redis_full(soak: IrisSoak) -> None:
    """Postgres is away until Redis takes no more; the recorder that starts then still has to empty it."""
    with stopped(soak.stack["db"]):
        soak.meanwhile()
        soak.stack.redis("config", "set", "maxmemory", "1mb")
    try:
        with killed(soak.stack["recorder"]):
            soak.meanwhile()
        wait_until(lambda: soak.stack.redis("xlen", "predictions") == "0")
    finally:
        soak.stack.redis("config", "set", "maxmemory", "128mb")


def recorder_killed(soak: IrisSoak) -> None:
    with killed(soak.stack["recorder"]):
        soak.meanwhile()


def recorder_restarted(soak: IrisSoak) -> None:
    docker("restart", soak.stack["recorder"].id)


def api_killed(soak: IrisSoak) -> None:
    soak.calm()  # what waits in it is then what it was asked in the last moment
    soak.kills.append(time.monotonic())
    with killed(soak.one_api()):
        soak.kills.append(time.monotonic())
        soak.meanwhile()


def api_restarted(soak: IrisSoak) -> None:
    docker("restart", soak.one_api().id)


def api_paused(soak: IrisSoak) -> None:
    with paused(soak.one_api()):
        soak.meanwhile()


def prometheus_killed(soak: IrisSoak) -> None:
    with killed(soak.stack["prometheus"]):
        soak.meanwhile()


def trained_again(soak: IrisSoak) -> None:
    soak.project("run", "--rm", "--no-deps", "-T", "train")


def model_damaged(soak: IrisSoak) -> None:
    damage = "echo damage >> /models/iris_logreg.onnx"
    soak.project("run", "--rm", "--no-deps", "-T", "train", "sh", "-c", damage)
    wait_until(lambda: soak.ready().get("problem"))
    soak.meanwhile()
    trained_again(soak)


def bad_requests(soak: IrisSoak) -> None:
    assert_all_refused(soak.stack.url, BAD_REQUESTS)


def callers_that_do_not_go_on(soak: IrisSoak) -> None:
    with slow_callers(soak.stack.url, 60):
        soak.meanwhile()


def five_large_batches(soak: IrisSoak) -> None:
    """As much at once as a caller may ask for, while all is well."""

    def ask() -> None:
        with httpx.Client(timeout=30) as http:
            soak.client.ask(http, BURST_ROWS)

    callers = [threading.Thread(target=ask) for _ in range(5)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()


FAULTS: list[Callable[[IrisSoak], None]] = [
    database_killed,
    database_paused,
    database_slow,
    redis_killed,
    redis_paused,
    redis_full,
    recorder_killed,
    recorder_restarted,
    api_killed,
    api_restarted,
    api_paused,
    prometheus_killed,
    trained_again,
    model_damaged,
    bad_requests,
    callers_that_do_not_go_on,
    five_large_batches,
]
