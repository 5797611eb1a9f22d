"""A copy of a lab is a project of its own: it and the original run side by side, and leave nothing behind."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from claims import DEFAULT_PORTS, claim, images_of
from docker_cli import PROJECT_LABEL, PROJECT_PREFIX, Container, docker, free_port
from leftovers import SHORT, assert_nothing_is_left, compose_file
from newcomer import Newcomer
from powershell import read_pairs
from readme import Step, read_steps
from repository import ROOT, copy_of_git, target_of

SERVICE_LABEL = "com.docker.compose.service"


@pytest.fixture
def checkout(lab: str, newcomer: Newcomer) -> Iterator[Path]:
    """The newcomer's copy of the repository, with this lab alone."""
    folder = newcomer.folder / "checkout"
    for name in ("Makefile", "setup", "LICENSE", lab):
        copy_of_git(name, folder)
    newcomer.take(newcomer.folder)
    with claim(DEFAULT_PORTS), claim(*images_of(lab), shared=True):
        yield folder


@pytest.fixture
def copier(newcomer: Newcomer) -> Iterator[Newcomer]:
    """The same person as the owner of a second project; a project is named as its folder."""
    copier = replace(newcomer, project=PROJECT_PREFIX + uuid.uuid4().hex[:8])
    yield copier
    copier.leave()
    images = ["image", "ls", "--quiet", "--filter", f"reference={copier.project}*"]
    if built := docker(*images, "--format", "{{.Repository}}").stdout.split():
        docker("image", "rm", *built)


def other_ports(lab: str) -> dict[str, str]:
    """Free ports for every variable by which the lab's compose file lets one choose."""
    names = set(re.findall(r"\$\{(\w*PORT):-\d+\}", (ROOT / lab / "compose.yaml").read_text()))
    readme = (ROOT / lab / "README.md").read_text()
    assert all(re.search(rf"\b{name}\b", readme) for name in names), f"{lab}/README.md: {names}"
    return {name: str(free_port()) for name in names}


def quick_start(readme: Path) -> list[Step]:
    """The first commands of a README: those that it shows in PowerShell as well. Not what they print."""
    end = read_pairs(readme)[0].line
    return [replace(step, expected=None) for step in read_steps(readme) if step.line < end]


def services_that_stay(lab: str) -> set[str]:
    services = compose_file(lab)["services"].items()
    return {name for name, it in services if "restart" in it and "profiles" not in it}


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


def healthy_services(who: Newcomer) -> dict[str, Container]:
    label = f"label={PROJECT_LABEL}={who.project}"
    form = f'{{{{.Label "{SERVICE_LABEL}"}}}} {{{{.ID}}}}'
    rows = docker("ps", "--filter", label, "--format", form).stdout.splitlines()
    services = {service: Container(id) for service, id in map(str.split, rows)}
    for container in services.values():
        container.wait_healthy()
    return services


def volumes_of(who: Newcomer) -> set[str]:
    """Volumes of the project by their mark, and those without a name that its containers hold."""
    held = [
        mount["Name"]
        for container in healthy_services(who).values()
        for mount in container.inspect()["Mounts"]
        if mount["Type"] == "volume"
    ]
    return {*held, *who.left("volume")}


def test_a_copy_runs_beside_the_original(
    lab: str, checkout: Path, newcomer: Newcomer, copier: Newcomer
) -> None:
    copy = newcomer.folder / copier.project
    run(newcomer, checkout, "make", "copy", f"LAB={lab}", f"TO={copy}")
    steps = quick_start(copy / "README.md")
    assert steps, f"{lab}/README.md has no quick start"

    with running(newcomer, checkout, "make", target_of(lab), **SHORT, **other_ports(lab)):
        copier.follow(steps, copy, timeout=600, **SHORT)
    assert set(healthy_services(newcomer)) == services_that_stay(lab)
    assert set(healthy_services(copier)) == services_that_stay(lab)
    newcomer.check_posture()
    volumes = {who: volumes_of(who) for who in (newcomer, copier)}

    run(copier, copy, "docker", "compose", "--profile", "*", "down", "--remove-orphans")
    assert set(healthy_services(newcomer)) == services_that_stay(lab)
    run(newcomer, checkout, "make", "down")
    for who in (newcomer, copier):
        assert_nothing_is_left(who, lab, volumes[who])
    foreign = [path for path in newcomer.folder.rglob("*") if not newcomer.owns(path)]
    assert foreign == []
