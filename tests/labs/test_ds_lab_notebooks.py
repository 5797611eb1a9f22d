"""Lab 2's notebooks: committed clean, and they run in the image, offline."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from repository import ROOT

pytest_plugins = ["jupyter"]

NOTEBOOKS = sorted((ROOT / "ds-lab" / "notebooks").glob("*.ipynb"))

RunOnce = Callable[..., subprocess.CompletedProcess[str]]


def code_cells(path: Path) -> list[dict]:
    cells = json.loads(path.read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_committed_without_outputs(path: Path) -> None:
    code = code_cells(path)
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def execute(
    image: str, folder: Path, posture: list[str], run_once: RunOnce
) -> dict[str, list[dict]]:
    """Run every notebook of `folder` in the image, offline; return each one's code cells by its name."""
    mine = f"{os.getuid()}:{os.getgid()}"
    done = run_once(
        image, "sh", "-c", "jupyter nbconvert --to notebook --execute --inplace *.ipynb",
        options=[*posture, "--network=none", "--user", mine, "-v", f"{folder}:/workspace"],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {path.name: code_cells(path) for path in folder.glob("*.ipynb")}


def printed(cells: list[dict]) -> str:
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [out for out in outputs if out.get("name") == "stderr"], "a warning was printed"
    return "".join("".join(output.get("text", [])) for output in outputs)


def ends_with_a_plot(cells: list[dict]) -> bool:
    # An empty pair of axes is a few thousand characters.
    return len(cells[-1]["outputs"][-1]["data"].get("image/png", "")) > 20_000


def test_notebooks_run_in_the_image_and_end_with_a_plot(
    jupyter_image: str, posture: list[str], run_once: RunOnce, notebooks: Path
) -> None:
    for path in NOTEBOOKS:
        (notebooks / path.name).write_bytes(path.read_bytes())
    done = execute(jupyter_image, notebooks, posture, run_once)
    first, second = (done[path.name] for path in NOTEBOOKS)
    assert ends_with_a_plot(first)
    assert ends_with_a_plot(second)
    assert "178 rows, 13 measurements; grower: A, B, C" in printed(first)
    assert "test accuracy: 0.98" in printed(second)
    assert "the same 719 answers" in printed(second)
    assert (notebooks / "digits.joblib").stat().st_uid == os.getuid()


def test_first_notebook_uses_the_table_of_lab_1(
    jupyter_image: str, posture: list[str], run_once: RunOnce, notebooks: Path
) -> None:
    (notebooks / "01.ipynb").write_bytes(NOTEBOOKS[0].read_bytes())
    ages = range(18, 70)
    rows = [f"{age},{30000 + 700 * (age * 7 % 50)}.5,{int(age > 50)},18-30" for age in ages]
    (notebooks / "clean.csv").write_text("\n".join(["age,income,churn,age_bucket", *rows, ""]))
    cells = execute(jupyter_image, notebooks, posture, run_once)["01.ipynb"]
    assert ends_with_a_plot(cells)
    assert "52 rows, 2 measurements; churn: stayed, left" in printed(cells)
