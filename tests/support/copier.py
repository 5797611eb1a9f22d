"""A lab copied by `make copy`, and the person who goes on with it."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import yaml
from docker_cli import PROJECT_LABEL, Container, docker, images_of_compose
from newcomer import Newcomer
from powershell import read_pairs
from readme import Step, read_steps

SERVICE_LABEL = "com.docker.compose.service"

# What people keep in a project and do not give away.
PRIVATE = [
    ".env", ".secrets/password", "production/.secrets/password", "data/patients.csv", "data/raw/patients.csv", "outputs/model.onnx",
    "notebooks/patients.csv", "notebooks/patients.parquet", "notebooks/model.joblib",
]  # fmt: skip


class Copier(Newcomer):
    """Somebody whose project has the name that its own compose file gives it."""

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.folder)}


def quick_start(readme: Path) -> list[Step]:
    """The first commands of a README: those that it shows in PowerShell as well. Not what they print."""
    end = read_pairs(readme)[0].line
    return [replace(step, expected=None) for step in read_steps(readme) if step.line < end]


def workflow(folder: Path) -> list[Step]:
    """What the workflow of a copied lab runs on GitHub, as the steps of a document."""
    text = yaml.safe_load((folder / ".github/workflows/test.yml").read_text())
    (job,) = text["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    return [Step(number, command, None, None) for number, command in enumerate(commands)]


def run(who: Newcomer, folder: Path, *command: str, **env: str) -> None:
    with running(who, folder, *command, **env):
        pass


@contextmanager
def running(who: Newcomer, folder: Path, *command: str, **env: str) -> Iterator[None]:
    """Run a command meanwhile, as them; it has to succeed."""
    log = who.folder / f"{uuid.uuid4().hex}.log"
    process = who.start(*command, folder=folder, log=log, env={**who.env, **env})
    try:
        yield
        assert process.wait(timeout=600) == 0, f"{command}\n{log.read_text()}"
    finally:
        process.kill()
        process.wait()
        log.unlink()


def plant_private_files(folder: Path) -> None:
    """Write those of the files whose folder the lab has, or would make."""
    for path in (folder / name for name in PRIVATE):
        if path.parent.name == ".secrets" and path.parent.parent.exists():
            path.parent.mkdir(exist_ok=True)
        if path.parent.exists():
            path.write_text("")


def would_be_added(who: Newcomer, folder: Path) -> set[str]:
    """The files that `git add -A` would take, and the repository does not hold yet."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, env=who.env, capture_output=True, text=True,
            check=True, **who.identity,
        ).stdout  # fmt: skip

    held = set(git("ls-files").splitlines())
    return set(re.findall(r"^add '(.+)'$", git("add", "-A", "-n"), re.MULTILINE)) - held


def healthy_services(who: Newcomer) -> dict[str, Container]:
    label = f"label={PROJECT_LABEL}={who.project}"
    form = f'{{{{.Label "{SERVICE_LABEL}"}}}} {{{{.ID}}}}'
    rows = docker("ps", "--filter", label, "--format", form).stdout.splitlines()
    services = {service: Container(id) for service, id in map(str.split, rows)}
    for container in services.values():
        container.wait_healthy()
    return services


def belongings(who: Newcomer) -> dict[str, set[str]]:
    """Ids of the project's healthy containers, images and named volumes."""
    return {
        "containers": {container.id for container in healthy_services(who).values()},
        "images": set(images_of_compose(who.project)),
        "volumes": set(who.left("volume")),
    }
