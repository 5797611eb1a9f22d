"""Lab 3, the api: its settings, the key, and what the history is asked for, with no database behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from docker_cli import Compose, docker, free_port
from iris_api import SERVE, SETOSA, Api, start

pytest_plugins = ["iris_fixtures"]


@pytest.fixture(scope="module")
def history(image_of: Callable, trained: Path) -> Iterator[Api]:
    """An api that is told of a database that does not answer."""
    url = "--env=DATABASE_URL=postgresql://nobody@127.0.0.1/none"
    served = start(image_of(SERVE), trained, url)
    yield served
    docker("rm", "--force", "--volumes", served.container.id)


def test_a_codespace_opens_its_own_forwarded_name(compose: Callable[..., Compose]) -> None:
    project = compose("ml-prod-demo", CODESPACE_NAME="my-space", PORT="8001", ALLOWED_HOSTS="a.b")
    settings = json.loads(project("config", "--format=json").stdout)
    allowed = settings["services"]["api"]["environment"]["ALLOWED_HOSTS"]
    assert allowed == "a.b,my-space-8001.app.github.dev"


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
        ("REDIS_URL", "redis://:hunter2@cache:hunter2"),
        ("DATABASE_URL", "postgresql://db?colour=blue"),
        ("DATABASE_URL", "postgresql://app:hunter 2@db"),
        ("DATABASE_PASSWORD_FILE", "/run/secrets/none"),
        ("API_KEY_FILE", "/run/secrets/none"),
        ("API_KEY_FILE", "/dev/null"),
        ("API_KEY_FILE", "/etc/os-release"),  # many lines
        ("API_KEY_FILE", "/models/key"),
        ("ALLOWED_HOSTS", "https://api.example.com"),
    ],
)
def test_a_bad_setting_ends_it_with_one_line(
    run_once: Callable, image_of: Callable, trained: Path, variable: str, value: str
) -> None:
    (trained / "key").write_text("schlüssel")
    options = [f"--volume={trained}:/models:ro", f"--env={variable}={value}"]
    if variable == "DATABASE_PASSWORD_FILE":
        options.append("--env=DATABASE_URL=postgresql://app@db/predictions")

    done = run_once(image_of(SERVE), options=options)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "hunter" not in done.stderr
    # A missing model is named by its path.
    assert variable in done.stderr or value in done.stderr


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
def test_a_page_whose_name_points_here_is_refused(history: Api, host: str) -> None:
    for method, path in [("GET", "/"), ("POST", "/predict"), ("GET", "/predictions")]:
        answer = httpx.request(method, history.url + path, headers={"Host": host})
        assert (answer.status_code, answer.json()["field"]) == (403, "Host")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "10.1.2.3", "api"])
def test_local_names_and_addresses_are_its_own(history: Api, host: str) -> None:
    assert httpx.get(f"{history.url}/health", headers={"Host": host}).status_code == 200


def test_is_asked_under_the_names_it_is_told(serve: Callable[..., Api]) -> None:
    api = serve("--env=ALLOWED_HOSTS=api.example.com, Iris.example")

    for host in ("api.example.com", "iris.example:8000"):
        assert httpx.get(f"{api.url}/health", headers={"Host": host}).status_code == 200
    answer = httpx.get(f"{api.url}/health", headers={"Host": "other.example.com"})
    assert answer.status_code == 403


def test_a_key_for_the_small_lab(compose: Callable[..., Compose]) -> None:
    """production/key.yaml, and `make lab3` with the same variable."""
    project = compose(
        "ml-prod-demo", PORT=str(free_port()), API_KEY_FILE="./key",
        COMPOSE_FILE="compose.yaml:production/key.yaml",
    )  # fmt: skip
    (project.folder / "key").write_text("hunter-2\n")
    project.up("--build")
    url = f"http://127.0.0.1:{project.env['PORT']}/predict"

    assert httpx.post(url, json=SETOSA).status_code == 401
    assert httpx.post(url, json=SETOSA, headers={"X-API-Key": "hunter-2"}).status_code == 200
    assert "setosa" in project("exec", "-T", "api", "python", "smoke.py").stdout
