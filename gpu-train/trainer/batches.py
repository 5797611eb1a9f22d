"""Batches: the same ones in every run and process, handed to the device that trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader, Dataset

from trainer.data import Images


class ByBatch(Dataset):
    """Takes a whole batch by its index tensor: one gather in place of one call a sample."""

    def __init__(self, images: Images) -> None:
        self.images = images

    def __getitem__(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.images.take(index)


@dataclass(frozen=True)
class Plan:
    """The steps of one epoch. It follows from (seed, epoch) alone, so a resumed run, and every process
    of a distributed one, makes the same plan with nothing to store or send.

    `order`: (steps, batch_size) indices; `shifts`: (steps, 2) pixels to the right and down.
    """

    order: torch.Tensor
    shifts: list[list[int]]


def plan_epoch(samples: int, batch_size: int, seed: int, epoch: int) -> Plan:
    """Shuffle; what does not fill a last batch sits this epoch out."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    steps = samples // batch_size
    order = torch.randperm(samples, generator=generator)[: steps * batch_size]
    shifts = torch.randint(-1, 2, (steps, 2), generator=generator)
    return Plan(order.view(steps, batch_size), shifts.tolist())


class Feeder:
    """Hands batches to a device: from the device's own memory where the images fit twice, else read by
    worker processes, pinned and copied ahead."""

    def __init__(self, images: Images, device: torch.device, workers: int, resident: bool) -> None:
        self.images, self.device, self.workers, self.resident = images, device, workers, resident
        if resident:
            self.images = Images(images.x.to(device), images.y.to(device))

    def batches(self, order: Sequence[torch.Tensor]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (images, labels) on the device for each tensor of indices in `order`."""
        if self.resident:
            # One copy of all indices: a copy in every step would make the host wait for the device.
            indices = torch.cat([torch.empty(0, dtype=torch.int64), *order]).to(self.device)
            for index in indices.split([len(index) for index in order]):
                yield self.images.take(index)
            return
        loader = DataLoader(
            ByBatch(self.images),
            batch_size=None,
            sampler=list(order),
            num_workers=self.workers,
            pin_memory=self.device.type == "cuda",
        )
        for x, y in loader:
            yield x.to(self.device, non_blocking=True), y.to(self.device, non_blocking=True)


def feeder_for(images: Images, device: torch.device) -> Feeder:
    return Feeder(images, device, torch.get_num_threads(), fits(images, device))


def fits(images: Images, device: torch.device) -> bool:
    """Whether the images leave at least half of the device's free memory to the model."""
    if device.type != "cuda":
        return True
    free, _total = torch.cuda.mem_get_info(device)
    return images.x.nbytes <= free / 2
