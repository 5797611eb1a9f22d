"""All that one run holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from trainer.data import Data
from trainer.settings import Settings


@dataclass
class Progress:
    """Where a run stands: `step` steps of epoch `epoch` (from 1) are done, with their losses summed up."""

    epoch: int = 1
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    history: list[dict] = field(default_factory=list)


@dataclass
class Training:
    """A model in training, with its data and what moves it. `steps`: of one epoch."""

    settings: Settings
    data: Data
    device: torch.device
    model: torch.nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    steps: int
    progress: Progress = field(default_factory=Progress)

    @property
    def steps_done(self) -> int:
        return (self.progress.epoch - 1) * self.steps + self.progress.step

    @property
    def is_complete(self) -> bool:
        return self.progress.epoch > self.settings.epochs
