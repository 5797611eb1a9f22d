"""The images that `make` builds: what they weigh, and that no start has to compile what it imports."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tomllib
from claims import claim, images_of
from compose_files import files, services
from docker_cli import docker
from inside import program
from repository import LABS, ROOT

BUDGETS = tomllib.loads((ROOT / "benchmarks" / "budgets.toml").read_text())["image_mb"]


def images(lab: str) -> list[str]:
    """The images that a lab builds for a machine without a GPU."""
    built = {
        service["image"]
        for name, service in services(lab)
        if "build" in service and not name.startswith("compose.gpu")
    }
    return sorted(built)


@pytest.fixture
def built(lab: str, engine: None, tmp_path: Path) -> Iterator[list[str]]:
    """The names of a lab's images, just built. As the caller does it: these are the images of `make`."""
    main = [file for file in files(lab) if file.name == "compose.yaml"]
    given = [option for file in main for option in ("-f", file)]
    command = ["docker", "compose", "--project-directory", ROOT / lab, *given, "--profile", "*"]
    with claim(*images_of(lab), shared=True):
        subprocess.run([*command, "build", "--quiet"], check=True, cwd=tmp_path, timeout=1200)
        yield images(lab)


def test_every_image_has_a_budget() -> None:
    assert sorted(BUDGETS) == sorted(image for lab in LABS for image in images(lab))


def test_images_keep_to_their_budgets(built: list[str]) -> None:
    for image in built:
        megabytes = int(docker("image", "inspect", "-f", "{{.Size}}", image).stdout) / 1e6
        assert megabytes <= BUDGETS[image], f"{image}: {megabytes:.0f} MB, budget {BUDGETS[image]}"


def test_no_start_has_to_compile(
    built: list[str], run_once: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    for image in built:
        look = program("without_byte_code.py")
        done = run_once(image, "python", "-c", look, options=["--network=none"])
        count, *bare = done.stdout.split()
        assert int(count) > 100, done
        assert bare == [], f"{image}: {len(bare)} modules are compiled at every start"
