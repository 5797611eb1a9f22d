"""Which device trains, in which precision, with how many threads."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path

import torch

from trainer.errors import TrainError
from trainer.processes import Process

CGROUP = Path("/sys/fs/cgroup")


def cpu_limit(cgroup: Path = CGROUP) -> int:
    """Return the whole CPUs this container may use. Without a limit that is what the host has, and
    a library that starts a thread for each of the host's cores is slower than one thread.

    Files: cpu.max (cgroup v2), cpu/cpu.cfs_quota_us and cpu/cpu.cfs_period_us (v1), in microseconds.
    """
    cpus = float(len(os.sched_getaffinity(0)))
    try:
        if (cgroup / "cpu.max").exists():
            quota, period = (cgroup / "cpu.max").read_text().split()
        else:
            quota = (cgroup / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text().strip()
    except (OSError, ValueError):
        return max(1, int(cpus))
    if quota not in {"max", "-1"}:
        cpus = min(cpus, int(quota) / int(period))
    return max(1, math.floor(cpus))


def choose_device(wanted: str, local_rank: int, local_processes: int) -> torch.device:
    """Return the device of this process.

    Raises TrainError where DEVICE asks for what is not there.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if wanted == "cuda" and (found is None or found.type != "cuda"):
        raise TrainError(
            f"DEVICE=cuda, but there is none: {why_no_cuda()}; give DEVICE=cpu or auto"
        )
    if found is None:
        return torch.device("cpu")
    if local_processes > torch.accelerator.device_count():
        raise TrainError(
            f"NPROC={local_processes}, but there are {torch.accelerator.device_count()} devices: "
            "give one process a device, or DEVICE=cpu"
        )
    return torch.device(found.type, local_rank)


def why_no_cuda() -> str:
    if torch.version.cuda is None:
        return f"PyTorch {torch.__version__} here is the CPU build"
    return "Docker handed no GPU to this container"


def precision_of(device: torch.device) -> torch.dtype:
    """bfloat16 where the device computes in it, which many CPUs merely emulate."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_name()


def cpu_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def peak_memory_mib(device: torch.device) -> float | None:
    if device.type != "cuda":
        return None
    return torch.cuda.max_memory_allocated(device) / 2**20


def where(device: torch.device, me: Process) -> dict:
    """What an epoch was computed on: a run may go on on another device."""
    return {
        "device": device.type,
        "device_name": device_name(device),
        "precision": str(precision_of(device)).removeprefix("torch."),
        "processes": me.world,
        "threads": torch.get_num_threads(),
        "peak_memory_mib": peak_memory_mib(device),
    }


def make_reproducible(seed: int) -> None:
    """The same seed gives the same weights on the same device."""
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Filling memory that is about to be written costs time and changes no result here.
    torch.utils.deterministic.fill_uninitialized_memory = False
