"""The fixture `stack`: lab 5 up, both versions trained."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from churn import GID, UID, Stack, copy_of_lab
from docker_cli import Compose, free_port


@pytest.fixture(scope="module")
def stack(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both services up, both versions trained. A test that breaks something puts it right again."""
    folder = copy_of_lab(tmp_path_factory.mktemp("stack"))
    ports = {"PORT": str(free_port()), "MLFLOW_PORT": str(free_port())}
    project = Compose(folder, {"HOST_UID": str(UID), "HOST_GID": str(GID), **ports})
    stack = Stack(project)
    try:
        project.up("--build", timeout=900)
        assert stack.model()["source"] == "baked"
        project("--profile", "train", "build", "train", timeout=900)
        printed = stack.train()
        assert "champion: version 2, ROC AUC 0.835" in printed, printed
        stack.wait_until(lambda: stack.model()["source"] == "registry")
        yield stack
    finally:
        project.down()
