"""One process among those that train together, as torchrun numbers them."""

from __future__ import annotations

import gc
import os
import signal
from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Process:
    """This process: `rank` of `world` in all, `local_rank` of `local_world` on this machine."""

    rank: int
    world: int
    local_rank: int
    local_world: int

    @classmethod
    def from_environment(cls) -> Process:
        """Read what torchrun sets; without it, a process is alone: (0, 1, 0, 1)."""
        names = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1}
        return cls(*(int(os.environ.get(name, default)) for name, default in names.items()))

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def join(self, device: torch.device) -> None:
        """Meet the other processes: gradients by NCCL between GPUs, everything else by gloo."""
        if self.world == 1:
            return
        if device.type == "cuda":
            torch.accelerator.set_device_index(device.index)
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")

    def leave(self) -> None:
        if dist.is_initialized():
            # Objects that still use the group keep its threads alive, and Python crashes when it ends under them.
            gc.collect()
            dist.destroy_process_group()

    def total(self, *values: float, op: dist.ReduceOp = dist.ReduceOp.SUM) -> list[float]:
        """Combine numbers of all processes. They travel as a CPU tensor: no GPU has to wait for them."""
        if self.world == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, op)
        return tensor.tolist()

    def any(self, value: bool) -> bool:
        """Whether it is true in one process at least; every process gets the same answer."""
        return bool(self.total(float(value), op=dist.ReduceOp.MAX)[0])

    def agree(self, value: float) -> bool:
        """Whether all processes have the same value."""
        lowest, negative_highest = self.total(value, -value, op=dist.ReduceOp.MIN)
        return lowest == -negative_highest


class Stop:
    """Set by SIGTERM or Ctrl-C: the running step is finished, saved, and that is the end."""

    def __init__(self) -> None:
        self.wanted = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask)

    def ask(self, *_signal: object) -> None:
        self.wanted = True
