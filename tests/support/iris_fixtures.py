"""Fixtures of lab 3's tests: a trained model, containers that serve it, the whole stack."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker_cli import LABEL, Compose, docker, free_port
from iris_api import SERVE, TRAIN, Api, inside, python, start, train_into
from iris_stack import Stack
from repository import ROOT


@pytest.fixture(scope="session")
def joblib_image(engine: None) -> str:
    docker(
        "build", "-t", "labs-test-iris-joblib", "--build-arg", "RUNTIME=joblib", str(ROOT / SERVE)
    )
    return "labs-test-iris-joblib"


@pytest.fixture(scope="module")
def trained(image_of: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trained model; not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    folder.chmod(0o777)
    train_into(image_of(TRAIN), folder)
    return folder


@pytest.fixture
def models(trained: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    folder = tmp_path / "models"
    shutil.copytree(trained, folder)
    folder.chmod(0o777)
    return folder


@pytest.fixture(scope="module")
def api(image_of: Callable, trained: Path) -> Iterator[Api]:
    """One api for all tests that only ask."""
    served = start(image_of(SERVE), trained)
    yield served
    docker("rm", "--force", "--volumes", served.container.id)


@pytest.fixture
def serve(image_of: Callable, models: Path) -> Iterator[Callable[..., Api]]:
    """`serve("--env=...")` starts an api of its own on the folder `models`."""
    served: list[Api] = []

    def run(*options: str, image: str | None = None) -> Api:
        served.append(start(image or image_of(SERVE), models, *options))
        return served[-1]

    yield run
    for one in served:
        print(one.container.logs())  # shown when the test failed
        docker("rm", "--force", "--volumes", one.container.id)


@pytest.fixture(scope="module")
def flowers(image_of: Callable, engine: None) -> list[dict]:
    """Every row of iris, as bodies."""
    program = "iris_rows.py"
    options = ["--rm", "--label", LABEL, *inside(program)]
    return json.loads(docker("run", *options, image_of(TRAIN), *python(program)).stdout)


@pytest.fixture
def stack(compose: Callable[..., Compose]) -> Stack:
    return Stack(
        compose(
            "ml-prod-demo",
            COMPOSE_FILE="compose.yaml:production/compose.yaml",
            PORT=str(free_port()),
            PROMETHEUS_PORT=str(free_port()),
        )
    )
