"""Lab 5 under soak: both services, a registry whose champion moves, and what breaks of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import httpx
from breaking import WELL_AGAIN_SECONDS, assert_all_refused, killed, paused, slow, slow_callers
from churn import CUSTOMER, GID, UID, Stack, copy_of_lab
from docker_cli import Compose, Container, docker, free_port, wait_until
from honest_client import HonestClient
from inside import program

MARK = "soak-"
LINES_OF_REQUESTS = f"cat /logs/requests.log* | grep {MARK}"

HOSTILE = ["a pickle", "no model.onnx", "an endless loop", "400 GB", "half a file"]

BAD_REQUESTS = {
    "not JSON": b"customer",
    "not UTF-8": b'{"contract": "\xff"}',
    "no field": b"{}",
    "an empty list": b"[]",
    "a number is NaN": json.dumps({**CUSTOMER, "age": float("nan")}).encode(),
    "an unknown category": json.dumps({**CUSTOMER, "contract": "weekly"}).encode(),
    "unknown fields": json.dumps({f"field {n}": n for n in range(40_000)}).encode(),
    "deeply nested": b"[" * 100_000,
    "too large": b" " * 5_000_000,
}


class ChurnSoak:
    def __init__(self, folder: Path, random: Random) -> None:
        ports = {"PORT": str(free_port()), "MLFLOW_PORT": str(free_port())}
        owner = {"HOST_UID": str(UID), "HOST_GID": str(GID)}
        self.project = Compose(copy_of_lab(folder), {**owner, **ports})
        self.random = random
        self.kills: list[float] = []  # the service itself is never killed

    def start(self) -> None:
        self.stack = Stack(self.project)
        self.project.up("--build", timeout=900)
        self.project("--profile", "train", "build", "train", timeout=900)
        self.stack.train()
        hostile = program("mlflow_flask_hostile_models.py")
        made = self.stack.train("python", "-c", hostile, *HOSTILE)
        self.hostile: dict[str, int] = json.loads(made)
        self.mlflow = self.project.container("mlflow")
        self.client = HonestClient(self.ask)
        self.calm()

    def watched(self) -> dict[str, Container]:
        return {"mlapp": self.project.container("mlapp")}

    def ask(self, http: httpx.Client, keys: range) -> httpx.Response:
        # Of many rows there is one line in the log: it names the first and the last.
        body = CUSTOMER if len(keys) == 1 else [CUSTOMER] * len(keys)
        headers = {"X-Request-ID": f"{MARK}{keys.start}-{keys.stop}"}
        return http.post(f"{self.stack.app}/predict", json=body, headers=headers)

    def meanwhile(self) -> None:
        """Callers go on asking while something is broken."""
        self.client.until_answered(self.random.randint(50, 200))

    def calm(self) -> None:
        """Wait until mlflow is well, the service follows it again, and nothing is wrong with what is there."""
        # The service may not have noticed yet that mlflow was away.
        self.mlflow.wait_healthy(WELL_AGAIN_SECONDS)
        wait_until(self.is_calm, WELL_AGAIN_SECONDS)

    def settle(self) -> None:
        """Nobody asks any more. A line of the log is written before its answer goes out: there is nothing to wait for."""

    def log(self) -> str:
        """The last lines of each service that are not about a good request."""
        said = self.project("--ansi=never", "logs", "--tail=500", check=False).stdout
        good = re.compile(r'"message": "request".*"status": [24]| 200 OK$')
        return "\n".join([line for line in said.splitlines() if not good.search(line)][-30:])

    def is_calm(self) -> bool:
        said = httpx.get(f"{self.stack.app}/models", timeout=10).json()
        sources = {model["source"] for model in said["models"]}
        return sources == {"registry"} and not said["registry"]["problem"]

    def stored(self) -> Counter[int]:
        """How many lines of the log there are of each row that was answered."""
        lines = self.project.container("mlapp").exec("sh", "-c", LINES_OF_REQUESTS).stdout
        found: Counter[int] = Counter()
        for request in map(json.loads, lines.splitlines()):
            if request["status"] == 200:
                first, last = request["request_id"].removeprefix(MARK).split("-")
                found.update(range(int(first), int(last)))
        return found


def mlflow_killed(soak: ChurnSoak) -> None:
    with killed(soak.mlflow):
        soak.meanwhile()


def mlflow_paused(soak: ChurnSoak) -> None:
    with paused(soak.mlflow):
        soak.meanwhile()


def mlflow_slow(soak: ChurnSoak) -> None:
    with slow(soak.mlflow):
        soak.meanwhile()


def mlflow_restarted(soak: ChurnSoak) -> None:
    docker("restart", soak.mlflow.id)


def champion_moved(soak: ChurnSoak) -> None:
    aliases = soak.stack.aliases()
    for alias in ("current-v1", "current-v2"):
        soak.stack.set_champion(aliases[alias])
        wait_until(partial(is_served, soak, aliases[alias]))
        soak.meanwhile()


def is_served(soak: ChurnSoak, version: int) -> bool:
    return soak.stack.model()["registry_version"] == version


def hostile_champions(soak: ChurnSoak) -> None:
    """Each version that must not be served becomes champion, and the service says so and serves what it did."""
    before = soak.stack.aliases()["champion"]
    try:
        for version in soak.hostile.values():
            soak.stack.set_champion(version)
            wait_until(partial(is_refused, soak, version))
            assert soak.stack.model()["registry_version"] == before
    finally:
        soak.stack.set_champion(before)


def is_refused(soak: ChurnSoak, version: int) -> bool:
    return (soak.stack.problem() or "").startswith(f"version {version}: ")


def trained_again(soak: ChurnSoak) -> None:
    soak.stack.train()


def bad_requests(soak: ChurnSoak) -> None:
    assert_all_refused(soak.stack.app, BAD_REQUESTS)


def callers_that_do_not_go_on(soak: ChurnSoak) -> None:
    with slow_callers(soak.stack.app, 20):
        soak.meanwhile()


FAULTS: list[Callable[[ChurnSoak], None]] = [
    mlflow_killed,
    mlflow_paused,
    mlflow_slow,
    mlflow_restarted,
    champion_moved,
    hostile_champions,
    trained_again,
    bad_requests,
    callers_that_do_not_go_on,
]
