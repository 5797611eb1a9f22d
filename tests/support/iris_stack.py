"""Lab 3 with its databases, as the tests start it, and what they read from each of its parts."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
from docker_cli import PROJECT_PREFIX, Compose, Container, wait_until
from iris_api import SETOSA, read_metrics
from load import Load

T = TypeVar("T")


class Prometheus:
    def __init__(self, container: Container) -> None:
        self.url = f"http://127.0.0.1:{container.host_port(9090)}/api/v1"

    def value(self, query: str) -> float | None:
        """Return the value of the first series that the query gives; None when there is none."""
        result = httpx.get(f"{self.url}/query", params={"query": query}).json()["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def alerts(self) -> dict[str, str]:
        """Return the state of every alert by its name."""
        groups = httpx.get(f"{self.url}/rules").json()["data"]["groups"]
        return {rule["name"]: rule["state"] for group in groups for rule in group["rules"]}


def run_secrets_script(folder: Path, project: str = PROJECT_PREFIX + "password") -> Path:
    """Make the password of a project's database, and return its file."""
    env = {**os.environ, "COMPOSE_PROJECT_NAME": project}
    subprocess.run(["production/make-secrets.sh"], cwd=folder, env=env, check=True, timeout=60)
    return folder / "production/.secrets/database_password"


class Stack:
    """A copy of the lab with production/compose.yaml, up and healthy."""

    def __init__(self, project: Compose) -> None:
        self.project = project
        run_secrets_script(project.folder, project.project)
        project.up("--build")
        # A container that is killed and started again is the same one.
        services = project("ps", "--services").stdout.split()
        self.containers = {service: project.container(service) for service in services}
        self.url = f"http://127.0.0.1:{self['api'].host_port(8000)}"

    def __getitem__(self, service: str) -> Container:
        return self.containers[service]

    def load(self, pause: float = 0.05) -> Load:
        return Load(f"{self.url}/predict", SETOSA, workers=4, pause=pause)

    def sql(self, query: str) -> str:
        psql = ("psql", "-U", "app", "-d", "predictions", "-Atc", query)
        return self["db"].exec(*psql).stdout.strip()

    def rows(self) -> int:
        return int(self.sql("SELECT count(*) FROM predictions"))

    def redis(self, *command: str) -> str:
        with_password = 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) exec redis-cli "$@"'
        return self["cache"].exec("sh", "-c", with_password, "sh", *command).stdout.strip()

    def metrics_of_api(self) -> dict[str, float]:
        return parse_metrics(httpx.get(f"{self.url}/metrics").text)

    def metrics_of_recorder(self) -> dict[str, float]:
        return parse_metrics(read_metrics(self["recorder"], 9100))

    def until_nothing_waits(self) -> None:
        """Wait until the api's queue and the stream are empty."""

        def empty() -> bool:
            return (
                self.metrics_of_api()["records_waiting"] == 0
                and self.redis("xlen", "predictions") == "0"
            )

        wait_until(empty, 120, describe=self.project.logs)

    def assert_recorded_once(self, made: int) -> None:
        """Every one of `made` predictions is a row of its own. The key of the table is the prediction's id."""
        self.until_nothing_waits()
        assert self.metrics_of_api()["records_lost_total"] == 0
        assert self.rows() == made, self.project.logs()
        assert self.redis("exists", "predictions:bad") == "0"


def parse_metrics(text: str) -> dict[str, float]:
    """Return the samples without labels by name."""
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.MULTILINE)}


async def off_loop(function: Callable[..., T], *arguments: object) -> T:
    """Call what blocks without holding up the load."""
    return await asyncio.to_thread(function, *arguments)


def record(**fields: object) -> dict:
    """A record as the api sends it, with an id of its own unless `fields` say otherwise."""
    return {
        "id": str(uuid.uuid4()),
        "time": "2026-01-02T03:04:05.678Z",
        "model_version": "v1",
        "features": [5.1, 3.5, 1.4, 0.2],
        "class_index": 0,
        "class_name": "setosa",
        "probabilities": [0.9, 0.1, 0.0],
        "latency_ms": 0.5,
        **fields,
    }
