"""Fixtures of the tests on several machines: an empty network for them, and lab 3 on a swarm of three."""

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
        for image in ("nginx:1.26", "postgres:17", "redis:8", "python:3.13-slim"):
            made.push(ensure_image(image), f"library/{image}")
        yield made


@pytest.fixture(scope="module")
def iris_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.copy(tmp_path_factory.mktemp("lab"))
