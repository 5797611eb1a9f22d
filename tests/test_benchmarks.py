"""The README's table is what was measured, and what was measured keeps to the budgets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tomllib
from conftest import LABS, ROOT
from docker_cli import docker
from test_every_lab import services

sys.path.insert(0, str(ROOT / "benchmarks"))
import table

BUDGETS = tomllib.loads((ROOT / "benchmarks" / "budgets.toml").read_text())


def images(lab: str) -> set[str]:
    """The images that a lab builds for a machine without a GPU."""
    return {
        service["image"]
        for name, service in services(lab)
        if "build" in service and not name.startswith("compose.gpu")
    }


def ratio(lab: str, key: str) -> float:
    """How many times better than the naive version: less is better, but for what is counted by the second."""
    naive, ours = (table.numbers(lab, version)[key] for version in ("naive", "ours"))
    return ours / naive if key.endswith("_per_second") else naive / ours


def test_every_lab_and_every_image_has_a_budget() -> None:
    assert sorted(table.FILES) == sorted(BUDGETS["at_least"]) == LABS
    built = {image for lab in LABS for image in images(lab)}
    assert built == set(BUDGETS["image_mb"])


def test_table_in_the_readme_is_what_was_measured() -> None:
    text = (ROOT / "README.md").read_text()
    assert table.replaced(text) == text, "run 'python benchmarks/table.py'"


def test_a_changed_number_changes_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = table.numbers
    monkeypatch.setattr(
        table, "numbers", lambda lab, version: measured(lab, version) | {"image_mb": 99_999.0}
    )
    assert "99,999 → 99,999" in table.render()


@pytest.mark.parametrize(
    ("name", "key"), [(lab, key) for lab in LABS for key in BUDGETS["at_least"].get(lab, {})]
)
def test_measured_ratio_keeps_to_its_budget(name: str, key: str) -> None:
    wanted = BUDGETS["at_least"][name][key]
    assert ratio(name, key) >= wanted, f"{name} {key}: {ratio(name, key):.2f} times, not {wanted}"


def test_rebuild_after_a_code_change_takes_under_two_seconds(lab: str) -> None:
    assert table.numbers(lab, "ours")["after_code_s"] < 2


def test_images_keep_to_their_budgets(lab: str, engine: None, tmp_path: Path) -> None:
    # With the caller's own project name and settings: these are the images that `make` builds.
    command = ["docker", "compose", "--project-directory", str(ROOT / lab), "--profile", "*"]
    subprocess.run([*command, "build", "--quiet"], check=True, cwd=tmp_path, timeout=1200)
    for image in sorted(images(lab)):
        megabytes = int(docker("image", "inspect", "-f", "{{.Size}}", image).stdout) / 1e6
        budget = BUDGETS["image_mb"][image]
        assert megabytes <= budget, f"{image}: {megabytes:.0f} MB, budget {budget}"
