"""Fixtures of the tests on several machines: an empty network for them, and the labs that run on them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from repository import ensure_image
from swarm import Lab, Network, network


@pytest.fixture(scope="module")
def machines(engine: None) -> Iterator[Network]:
    """A network with a registry that has the labs' base images, and no machine yet."""
    with network() as made:
        made.start_registry()
        for image in ("nginx:1.30", "postgres:17", "redis:8", "python:3.13-slim"):
            made.push(ensure_image(image), f"library/{image}")
        yield made


@pytest.fixture(scope="module")
def iris_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.copy("ml-prod-demo", tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def churn_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.copy("mlflow-flask", tmp_path_factory.mktemp("lab"))
