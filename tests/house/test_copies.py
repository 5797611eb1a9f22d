"""A copy of a lab is a project of its own: it and the original run side by side, and neither touches the other."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from claims import DEFAULT_PORTS, claim, images_of
from copier import (
    Copier,
    belongings,
    healthy_services,
    plant_private_files,
    quick_start,
    run,
    running,
    workflow,
    would_be_added,
)
from docker_cli import PROJECT_PREFIX, docker, free_port
from leftovers import SHORT, assert_nothing_is_left, compose_file
from newcomer import Newcomer
from repository import ROOT, copy_of_git, target_of


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
def copier(newcomer: Newcomer) -> Iterator[Copier]:
    """The same person as the owner of a second project, named after its folder."""
    project = f"{PROJECT_PREFIX}{uuid.uuid4().hex[:8]}-my-project-1-co"
    copier = Copier(newcomer.folder, newcomer.uid, newcomer.gid, project)
    yield copier
    copier.leave()
    # What the README of lab 1 builds without compose.
    docker("image", "rm", project, check=False)


@pytest.fixture
def copy(lab: str, checkout: Path, newcomer: Newcomer, copier: Copier) -> Path:
    """What `make copy` makes in a folder with a name that is none for Docker, and means something to every tool."""
    name = copier.project.replace("-my-project-1-co", " My Project #1 & co").capitalize()
    run(newcomer, checkout, "make", "copy", f"LAB={lab}", f"TO=../{name}/")
    return newcomer.folder / name


def other_ports(lab: str) -> dict[str, str]:
    """Free ports for every variable by which the lab's compose file lets one choose."""
    names = set(re.findall(r"\$\{(\w*PORT):-\d+\}", (ROOT / lab / "compose.yaml").read_text()))
    readme = (ROOT / lab / "README.md").read_text()
    assert all(re.search(rf"\b{name}\b", readme) for name in names), f"{lab}/README.md: {names}"
    return {name: str(free_port()) for name in names}


def services_that_stay(lab: str) -> set[str]:
    services = compose_file(lab)["services"].items()
    return {name for name, it in services if "restart" in it and "profiles" not in it}


def change_code(folder: Path) -> None:
    for path in folder.rglob("*.py"):
        path.write_text(path.read_text() + "\n# Changed.\n")


def test_a_copy_runs_beside_the_original(
    lab: str, checkout: Path, copy: Path, newcomer: Newcomer, copier: Copier
) -> None:
    steps = quick_start(copy / "README.md")
    assert steps, f"{lab}/README.md has no quick start"

    with running(newcomer, checkout, "make", target_of(lab), **SHORT, **other_ports(lab)):
        copier.follow(steps, copy, timeout=600, **SHORT)
    for who in (newcomer, copier):
        assert set(healthy_services(who)) == services_that_stay(lab)
    newcomer.check_posture()
    original = belongings(newcomer)
    assert original["images"], "compose has not named the images after the project"

    # The copy's owner changes the code, and has the workflow build and check it; its end is `down`.
    before = belongings(copier)
    change_code(copy)
    # As on GitHub: what git ignores is not there, but for the wheels, where setup had to fetch them.
    run(copier, copy, "git", "clean", "-fdXq", "--exclude=!*.whl")
    copier.follow(workflow(copy), copy, timeout=600)
    after = belongings(copier)
    assert after["images"] - before["images"], "the code is in no new image"
    assert belongings(newcomer) == original
    assert_nothing_is_left(copier, lab, before["volumes"])

    # And the other way round.
    everything = ["--volumes", "--remove-orphans", "--rmi", "local"]
    run(newcomer, checkout / lab, "docker", "compose", "--profile", "*", "down", *everything)
    assert belongings(newcomer) == {"containers": set(), "images": set(), "volumes": set()}
    assert belongings(copier) == after

    plant_private_files(copy)
    copier.take(copy)
    assert {name for name in would_be_added(copier, copy) if not name.endswith(".ipynb")} == set()
    assert [path for path in newcomer.folder.rglob("*") if not newcomer.owns(path)] == []
