"""Lab 2 uses as many threads as its container has cpus."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from inside import program
from repository import ROOT

pytest_plugins = ["jupyter"]


@pytest.mark.parametrize("cpus", [1, 2])
def test_a_kernel_uses_as_many_threads_as_it_has_cpus(
    jupyter_image: str, posture: list[str], cpus: int,
    run_once: Callable[..., subprocess.CompletedProcess[str]],
) -> None:  # fmt: skip
    cpus = min(cpus, os.cpu_count() or 1)
    cell = program("ds_lab_threads.py")
    done = run_once(
        jupyter_image, "python", "-c", program("ds_lab_cells.py"), cell,
        options=[*posture, f"--cpus={cpus}"],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    counted = {"pools": {"openblas": cpus, "openmp": cpus}, "cpus": [cpus] * 3}
    assert json.loads(done.stdout) == counted


@pytest.fixture
def cpu_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> types.ModuleType:
    """The lab's module, looking at a control group in `tmp_path`, on a machine with 16 cores."""
    for variable in ("OMP_NUM_THREADS", "PYTHON_CPU_COUNT"):
        # Set already, so that importing it changes nothing in this process.
        monkeypatch.setenv(variable, "1")
    spec = importlib.util.spec_from_file_location("cpu_limit", ROOT / "ds-lab" / "cpu_limit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    return module


@pytest.mark.parametrize(
    ("files", "threads"),
    [
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "3200000 100000"}, 16),
        ({"cpu.max": "max 100000"}, 16),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 16),
        ({}, 16),
    ],
)
def test_threads_follow_the_control_group(
    cpu_limit: types.ModuleType, tmp_path: Path, files: dict[str, str], threads: int
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert cpu_limit.threads() == threads
