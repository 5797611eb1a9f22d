"""The images that `make` builds: what they weigh, and that no start has to compile what it imports."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable

import pytest
from budgets import BUDGETS
from compose_files import files, services
from docker_cli import Compose, megabytes_of
from inside import program
from repository import LABS, ROOT

MEGABYTES = BUDGETS["image_mb"]
# What is compiled for another processor has another size.
FACTOR = BUDGETS["image_mb_factor"].get(platform.machine(), 1)


def builders(lab: str) -> list[str]:
    """The services by which a lab builds its images; where several build the same, the first."""
    first: dict[str, str] = {}
    for name, service in services(lab):
        if "build" in service:
            first.setdefault(str(service["build"]), name.split(":")[1])
    return sorted(first.values())


@pytest.fixture
def built(lab: str, compose: Callable[..., Compose]) -> dict[str, str]:
    """A lab's images, just built, by lab and service."""
    given = [file.relative_to(ROOT / lab) for file in files(lab) if file.name == "compose.yaml"]
    project = compose(lab, COMPOSE_FILE=":".join(map(str, given)))
    names = builders(lab)
    project("--profile", "*", "build", "--quiet", *names, timeout=1200)
    return {f"{lab}/{name}": f"{project.project}-{name}" for name in names}


def test_every_image_has_a_budget() -> None:
    assert sorted(MEGABYTES) == sorted(f"{lab}/{name}" for lab in LABS for name in builders(lab))


def test_images_keep_to_their_budgets(built: dict[str, str]) -> None:
    for name, image in built.items():
        budget = MEGABYTES[name] * FACTOR
        size = megabytes_of(image)
        assert size <= budget, f"{name}: {size:.0f} MB, budget {budget:.0f}"


def test_no_start_has_to_compile(
    built: dict[str, str], run_once: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    look = program("without_byte_code.py")
    for name, image in built.items():
        # The store is one program, compiled from Go.
        if name.endswith("/store"):
            continue
        done = run_once(image, "python", "-c", look, options=["--network=none"])
        count, *bare = done.stdout.split()
        assert int(count) > 100, done
        assert bare == [], f"{name}: {len(bare)} modules are compiled at every start"
