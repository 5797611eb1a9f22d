"""Lab 5 as its tests see it: both services running, and a customer to ask about."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from docker_cli import Compose, wait_until
from repository import copy_of_git

CUSTOMER = {
    "tenure_months": 3,
    "age": 27,
    "monthly_charges": 84.5,
    "support_calls": 4,
    "usage_gb": 41.0,
    "contract": "month-to-month",
    "internet": "fiber",
    "payment": "invoice",
}


# Root inside would pass where any other uid fails.
UID, GID = (1000, 1000) if os.getuid() == 0 else (os.getuid(), os.getgid())


def copy_of_lab(folder: Path) -> Path:
    lab = copy_of_git("mlflow-flask", folder)
    for path in [lab / "data", *(lab / "data").rglob("*")]:
        os.chown(path, UID, GID)
    return lab


@dataclass
class Stack:
    """The lab as a running compose project, with both services' URLs on the host."""

    project: Compose

    @property
    def app(self) -> str:
        return f"http://127.0.0.1:{self.project.env['PORT']}"

    @property
    def mlflow(self) -> str:
        return f"http://127.0.0.1:{self.project.env['MLFLOW_PORT']}"

    def predict(self, body: object = None, query: str = "") -> httpx.Response:
        return httpx.post(f"{self.app}/predict{query}", json=body or CUSTOMER, timeout=30)

    def model(self, query: str = "") -> dict:
        """Return which model answers."""
        answer = self.predict(query=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["model"]

    def api(self, path: str, **params: str) -> dict:
        answer = httpx.get(f"{self.mlflow}/api/2.0/mlflow/{path}", params=params, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def aliases(self) -> dict[str, int]:
        found = self.api("registered-models/get", name="churn")["registered_model"]["aliases"]
        return {one["alias"]: int(one["version"]) for one in found}

    def set_champion(self, version: int) -> None:
        self.set_alias("champion", version)

    def set_alias(self, alias: str, version: int) -> None:
        body = {"name": "churn", "alias": alias, "version": str(version)}
        url = f"{self.mlflow}/api/2.0/mlflow/registered-models/alias"
        assert httpx.post(url, json=body, timeout=30).status_code == 200

    def train(self, *command: str) -> str:
        done = self.project("--profile", "train", "run", "--rm", "-T", "train", *command)
        return done.stdout

    def problem(self) -> str | None:
        """What the service says is wrong with the registry."""
        answer = httpx.get(f"{self.app}/models", timeout=30)
        return answer.json()["registry"]["problem"]

    def wait_until(self, predicate: Callable[[], object], timeout: float = 60) -> None:
        wait_until(predicate, timeout, describe=self.project.logs)
