"""Lab 3, the api: its settings, the key, and what the history is asked for, with no database behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from docker_cli import docker
from iris_api import SERVE, SETOSA, Api, start

pytest_plugins = ["iris_fixtures"]


@pytest.fixture(scope="module")
def history(image_of: Callable, trained: Path) -> Iterator[Api]:
    """An api that is told of a database that does not answer."""
    url = "--env=DATABASE_URL=postgresql://nobody@127.0.0.1/none"
    served = start(image_of(SERVE), trained, url)
    yield served
    docker("rm", "--force", "--volumes", served.container.id)


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("limit=0", 422, "limit"),
        ("limit=1001", 422, "limit"),
        ("limit=ten", 422, "limit"),
        ("before=yesterday", 422, "before"),
        ("before=2026-01-01T00:00:00Z,1", 422, "before"),
        ("before=0001-01-01T00:00:00%2B05:00", 422, "before"),
        ("page=2", 422, "page"),
        ("limit=2", 503, "database"),
    ],
)
def test_the_history_refuses_as_json(history: Api, query: str, code: int, field: str) -> None:
    answer = httpx.get(f"{history.url}/predictions?{query}")

    assert (answer.status_code, answer.json()["field"]) == (code, field)
    assert answer.json()["reason"]


def test_asks_for_the_key(serve: Callable[..., Api], tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter-2\n")
    (tmp_path / "key").chmod(0o644)
    api = serve(
        f"--volume={tmp_path}/key:/run/secrets/key:ro", "--env=API_KEY_FILE=/run/secrets/key",
        "--env=DATABASE_URL=postgresql://nobody@127.0.0.1/none",
    )  # fmt: skip

    for method, path in [("POST", "/predict"), ("POST", "/predict/batch"), ("GET", "/predictions")]:
        for key in (None, "hunter-3", "hunter-2 ä"):
            headers = [(b"x-api-key", key.encode())] if key else []
            answer = httpx.request(method, api.url + path, headers=headers)
            assert (answer.status_code, answer.json()["field"]) == (401, "X-API-Key")
    for path in ("/health", "/ready", "/model", "/metrics", "/"):
        assert httpx.get(api.url + path).status_code == 200
    allowed = httpx.post(f"{api.url}/predict", json=SETOSA, headers={"X-API-Key": "hunter-2"})
    assert allowed.json()["predicted_class_name"] == "setosa"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MODEL_PATH", "/models/iris.pkl"),
        ("MODEL_PATH", "/models/other.onnx"),
        ("LOG_LEVEL", "loud"),
        ("REDIS_URL", "cache:6379"),
        ("REDIS_URL", "redis://cache:port"),
        ("DATABASE_URL", "mysql://db"),
        ("DATABASE_URL", "postgresql://db?colour=blue"),
        ("DATABASE_PASSWORD_FILE", "/run/secrets/none"),
        ("API_KEY_FILE", "/run/secrets/none"),
        ("API_KEY_FILE", "/dev/null"),
    ],
)
def test_a_bad_setting_ends_it_with_one_line(
    run_once: Callable, image_of: Callable, trained: Path, variable: str, value: str
) -> None:
    options = [f"--volume={trained}:/models:ro", f"--env={variable}={value}"]
    if variable == "DATABASE_PASSWORD_FILE":
        options.append("--env=DATABASE_URL=postgresql://app@db/predictions")

    done = run_once(image_of(SERVE), options=options)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    # A missing model is named by its path.
    assert variable in done.stderr or value in done.stderr
