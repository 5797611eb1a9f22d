"""Lab 5 on its way to the cloud: images through a registry, metadata in Postgres."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from churn import CUSTOMER
from docker_cli import Compose, Container, docker, free_port
from repository import ROOT, ensure_image

LAB = ROOT / "mlflow-flask"
TAG = "9.9.9-test"


@pytest.fixture
def pushed_from(engine: None) -> Iterator[list[str]]:
    """Names of registries; the images tagged for them are removed after every container is."""
    names: list[str] = []
    yield names
    for name in names:
        tags = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{name}/*"]
        if found := docker(*tags).stdout.split():
            docker("image", "rm", *found)


@pytest.fixture
def registry(pushed_from: list[str], run: Callable[..., Container]) -> str:
    """An empty registry on a free port of this machine."""
    port = free_port()
    container = run(ensure_image("registry:3"), options=["-p", f"127.0.0.1:{port}:5000"])
    name = f"localhost:{port}"
    container.wait_until(lambda: answers(f"http://{name}/v2/"))
    pushed_from.append(name)
    return name


def blobs_of(registry: str, name: str, digest: str) -> list[str]:
    """Digests of all that an image consists of, from the registry's own manifest."""
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    url = f"http://{registry}/v2/{name}/manifests/{digest}"
    manifest = httpx.get(url, headers={"Accept": kind}).json()
    return [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def publish(registry: str, tag: str = TAG) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "REGISTRY": registry, "TAG": tag}
    return subprocess.run(
        [LAB / "publish.sh"], env=env, capture_output=True, text=True, timeout=900, check=False
    )


def predict(container: Container) -> dict:
    container.wait_healthy(120)
    answer = httpx.post(f"http://127.0.0.1:{container.host_port(5000)}/predict", json=CUSTOMER)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_published_images_come_back_the_same(registry: str, run: Callable[..., Container]) -> None:
    first = publish(registry)
    assert first.returncode == 0, first.stderr
    images = [f"{registry}/mlflow-flask-{name}:{TAG}" for name in ("mlapp", "mlflow")]
    digests = re.findall(
        rf"^{registry}/mlflow-flask-\w+@(sha256:\w{{64}})$", first.stdout, re.MULTILINE
    )
    assert len(digests) == 2
    options = ["--read-only", "--tmpfs", "/tmp", "-p", "127.0.0.1::5000"]
    container = run(images[0], options=options)
    before = predict(container)
    docker("rm", "--force", "--volumes", container.id)
    ids = [docker("image", "inspect", image, "--format", "{{.Id}}").stdout for image in images]
    labels = docker("image", "inspect", images[0], "--format", "{{json .Config.Labels}}").stdout
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f'"org.opencontainers.image.{label}":"' in labels, label

    second = publish(registry)
    assert second.returncode == 0, second.stderr
    assert "Pushed" in first.stdout
    assert "Pushed" not in second.stdout, "the same content was uploaded again"
    assert "Layer already exists" in second.stdout
    assert all(digest in second.stdout for digest in digests)

    for image, digest in zip(images, digests, strict=True):
        name = image.split("/")[1].split(":")[0]
        for blob in blobs_of(registry, name, digest):
            assert httpx.head(f"http://{registry}/v2/{name}/blobs/{blob}").status_code == 200

    docker("image", "rm", *images)
    for image, digest, id in zip(images, digests, ids, strict=True):
        assert docker("image", "inspect", image, check=False).returncode != 0
        docker("pull", f"{image.rsplit(':', 1)[0]}@{digest}")
        docker("pull", image)
        assert docker("image", "inspect", image, "--format", "{{.Id}}").stdout == id
    assert predict(run(images[0], options=options)) == before


@pytest.mark.parametrize(
    ("registry_name", "tag", "said"),
    [
        ("", "1.0", "REGISTRY is not set"),
        ("localhost:5002", "", "TAG is not set"),
        ("localhost:5002", "latest", "TAG=latest"),
        ("localhost:5002", "a b", "TAG=a b"),
        ("Localhost/", "1.0", "REGISTRY=Localhost/"),
    ],
)
def test_publish_says_what_it_lacks(registry_name: str, tag: str, said: str) -> None:
    done = publish(registry_name, tag)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_publish_says_when_what_it_builds_is_no_commit(tmp_path: Path) -> None:
    """With a `docker` that only writes down what it is asked for."""
    lab, bin = tmp_path / "lab", tmp_path / "bin"
    lab.mkdir()
    bin.mkdir()
    shutil.copy(LAB / "publish.sh", lab)
    asked = tmp_path / "asked"
    (bin / "docker").write_text(f'#!/bin/sh\necho "$@" >>{asked}\n')
    (bin / "docker").chmod(0o755)

    def git(*arguments: str) -> str:
        author = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", "-C", str(lab), *author, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def revision() -> str:
        asked.unlink(missing_ok=True)
        path = f"{bin}:{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "REGISTRY": "localhost:1", "TAG": TAG}
        subprocess.run([lab / "publish.sh"], env=env, capture_output=True, check=False)
        return set(re.findall(r"image\.revision=(\S+)", asked.read_text())).pop()

    assert revision() == "unknown"
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    commit = git("rev-parse", "HEAD")
    assert revision() == commit
    (lab / "new.py").touch()
    assert revision() == f"{commit}-dirty"
    git("add", ".")
    git("commit", "-m", "second")
    with (lab / "publish.sh").open("a") as script:
        script.write("# edited\n")
    assert revision() == git("rev-parse", "HEAD") + "-dirty"


def test_metadata_in_postgres(
    compose: Callable[..., Compose], run: Callable[..., Container]
) -> None:
    """compose.cloud.yaml as it stands: the URI without a password, the password in a file."""
    project = compose(
        "mlflow-flask",
        PORT=str(free_port()),
        MLFLOW_PORT=str(free_port()),
        COMPOSE_FILE="compose.yaml:compose.cloud.yaml",
        BACKEND_STORE_URI="postgresql://mlflow@database:5432/mlflow",
        ARTIFACTS_DESTINATION="/mlflow/artifacts",
        S3_ENDPOINT_URL="http://127.0.0.1:9",
    )
    secrets = project.folder / ".secrets"
    secrets.mkdir()
    (secrets / "pgpass").write_text("database:5432:mlflow:mlflow:a-password\n")
    (secrets / "s3_credentials").write_text("[default]\n")
    for path in secrets.iterdir():
        path.chmod(0o600)
    project("create", "--build", "mlflow", timeout=900)
    database = run(
        ensure_image("postgres:17"),
        options=[
            "--network", f"{project.project}_default", "--network-alias", "database",
            "-e", "POSTGRES_USER=mlflow", "-e", "POSTGRES_DB=mlflow", "-e", "POSTGRES_PASSWORD=a-password",
        ],
    )  # fmt: skip
    psql = ("psql", "-h", "127.0.0.1", "-U", "mlflow", "-tAc")
    database.wait_until(lambda: database.exec(*psql, "select 1", check=False).returncode == 0)
    project.up("--no-build", "mlflow")
    url = f"http://127.0.0.1:{project.env['MLFLOW_PORT']}/api/2.0/mlflow"
    created = httpx.post(f"{url}/registered-models/create", json={"name": "churn"}, timeout=30)
    assert created.status_code == 200, created.text
    rows = database.exec(*psql, "select name from registered_models").stdout
    assert rows.strip() == "churn"
    assert "a-password" not in str(project.container("mlflow").inspect())
    # The network cannot go while the database hangs on it.
    docker("rm", "--force", "--volumes", database.id)
