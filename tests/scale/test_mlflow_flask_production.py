"""Lab 5 with its metadata in Postgres and its artifacts in an S3 store: MLflow may be lost, and a store that refuses it is one line."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from churn import GID, UID, Stack, copy_of_lab
from docker_cli import Compose, docker, free_port


@pytest.fixture(scope="module")
def kept(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """production/compose.yaml up, both versions trained."""
    folder = copy_of_lab(tmp_path_factory.mktemp("production"))
    subprocess.run([folder / "production/make-secrets.sh"], check=True, timeout=60)
    ports = {"PORT": str(free_port()), "MLFLOW_PORT": str(free_port())}
    owner = {"HOST_UID": str(UID), "HOST_GID": str(GID)}
    files = {"COMPOSE_FILE": "compose.yaml:production/compose.yaml"}
    project = Compose(folder, {**owner, **ports, **files})
    stack = Stack(project)
    try:
        project.up("--build", timeout=900)
        project("--profile", "train", "build", "train", timeout=900)
        printed = stack.train()
        assert "champion: version 2, ROC AUC 0.835" in printed, printed
        yield stack
    finally:
        project.down()


def test_what_was_trained_outlives_mlflow_and_its_disk(kept: Stack) -> None:
    kept.project("rm", "--force", "--stop", "--volumes", "mlflow", "mlapp")
    label = f"label=com.docker.compose.project={kept.project.project}"
    volumes = docker("volume", "ls", "--quiet", "--filter", label).stdout.split()
    assert {name.split("_", 1)[1] for name in volumes} == {"artifacts", "logs", "metadata"}
    kept.project.up()
    kept.wait_until(lambda: kept.model()["source"] == "registry")
    assert kept.model()["version"] == "v2"
    assert kept.aliases() == {"champion": 2, "current-v1": 1, "current-v2": 2}


KEY = "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n"


@pytest.mark.parametrize(
    ("key", "bucket", "says"),
    [
        (KEY.format("labs", "guess"), "labs", "refuses the key in s3_credentials"),
        (KEY.format("somebody", "guess"), "labs", "refuses the key in s3_credentials"),
        ("[default]\n", "labs", "there is no key in s3_credentials"),
        (None, "none", "there is no bucket 'none'"),
    ],
)
def test_a_store_that_refuses_is_one_line(
    kept: Stack, key: str | None, bucket: str, says: str
) -> None:
    options = ["--no-deps", "--env", f"MLFLOW_ARTIFACTS_DESTINATION=s3://{bucket}/mlflow"]
    if key:
        other = kept.project.folder / "other_key"
        other.write_text(key)
        options += ["--volume", f"{other}:/key:ro", "--env", "AWS_SHARED_CREDENTIALS_FILE=/key"]
    done = kept.project("run", "--rm", "-T", *options, "mlflow", check=False)
    assert done.returncode == 2, done
    line = done.stderr.splitlines()[-1]
    assert line.startswith("mlflow: S3 store http://store:8333: ")
    assert says in line
    assert "Traceback" not in done.stderr


def test_without_its_store_mlflow_starts_and_says_so(kept: Stack) -> None:
    kept.project("stop", "store")
    try:
        kept.project("up", "--detach", "--no-deps", "--force-recreate", "mlflow")
        kept.project.container("mlflow").wait_healthy(240)
        assert "mlflow: S3 store http://store:8333: Could not connect" in kept.project.logs()
        assert kept.aliases()["champion"] == 2
    finally:
        kept.project("start", "store")
