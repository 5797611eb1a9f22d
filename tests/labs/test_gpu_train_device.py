"""Lab 4: which device trains, how `make` finds out, and what the two images are made of."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from docker_cli import docker
from gpu_train_runs import HARDENED
from repository import ROOT

pytest_plugins = ["gpu_train_fixtures"]

DOCKERFILE = (ROOT / "gpu-train/Dockerfile").read_text()
TORCH_CPU = (ROOT / "gpu-train/torch-cpu.txt").read_text()


def test_image_holds_the_cpu_build(image: str) -> None:
    program = "import torch; print(torch.version.cuda)"
    assert docker("run", "--rm", *HARDENED, image, "python", "-c", program).stdout == "None\n"


def test_both_images_have_one_pytorch() -> None:
    (gpu,) = re.findall(r"^FROM pytorch/pytorch:(\S+?)-", DOCKERFILE, re.MULTILINE)
    (cpu,) = re.findall(r"^torch==(\S+)\+cpu", TORCH_CPU, re.MULTILINE)
    assert gpu == cpu


def shell(script: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=True,
    )  # fmt: skip


def test_gpu_base_is_not_fetched_beforehand() -> None:
    listed = shell(". setup/lib.sh; . setup/images.sh; base_images gpu-train").stdout.split()
    assert listed == ["python:3.11-slim"]


def fake_docker(folder: Path, info: str, run: str) -> dict[str, str]:
    """A `docker` that answers as an engine of another machine would."""
    command = folder / "docker"
    command.write_text(
        f"#!/bin/sh\ncase $1 in info) echo '{info}' ;; run) {run} ;; image) exit 0 ;; esac\n"
    )
    command.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("info", "run", "env", "files", "reason"),
    [
        ('{"Runtimes": {"runc": {}}}', "false", {}, "", "on the CPU: no NVIDIA runtime"),
        (
            '{"Runtimes": {"nvidia": {}}}',
            "echo no adapters were found >&2; exit 125",
            {},
            "",
            "on the CPU: the engine has the NVIDIA runtime but hands over no GPU: no adapters",
        ),
        ('{"Runtimes": {"nvidia": {}}}', "true", {"DEVICE": "cpu"}, "", "on the CPU: DEVICE=cpu"),
        (
            '{"Runtimes": {"nvidia": {}}}',
            "echo /dev/nvidia0",
            {},
            "-f gpu-train/compose.yaml -f gpu-train/compose.gpu.yaml\n",
            "on the GPU: Docker hands over /dev/nvidia0",
        ),
        (
            '{"Runtimes": {}, "DiscoveredDevices": [{"ID": "nvidia.com/gpu=all"}]}',
            "echo /dev/dxg",
            {},
            "-f gpu-train/compose.yaml -f gpu-train/compose.gpu.yaml\n",
            "on the GPU: Docker hands over /dev/dxg",
        ),
    ],
)
def test_device_is_chosen_and_the_reason_said(
    tmp_path: Path, info: str, run: str, env: dict[str, str], files: str, reason: str
) -> None:
    done = shell("setup/lab4.sh", **fake_docker(tmp_path, info, run), **env)
    assert done.stdout == files
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"lab4: training {reason}")


def test_gpu_compose_file_asks_for_gpus_in_the_gpu_stage() -> None:
    override = yaml.safe_load((ROOT / "gpu-train/compose.gpu.yaml").read_text())["services"]
    for service in ("train", "node0", "node1"):
        assert override[service]["build"]["target"] == "gpu"
        (device,) = override[service]["deploy"]["resources"]["reservations"]["devices"]
        assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}


def test_gpu_compose_file_runs_on_a_machine_with_few_cpus() -> None:
    """The engine refuses a limit above what the machine has, and a machine with one small GPU has few."""
    override = yaml.safe_load((ROOT / "gpu-train/compose.gpu.yaml").read_text())["services"]
    assert [service.get("cpus") for service in override.values()] == [None, None, None]
