"""What ends a run in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from trainer.processes import Process


class TrainError(Exception):
    """Something the user can mend. Its text is one line that says what, where and how."""


def first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


@contextmanager
def plain_errors(batch_size: int, me: Process) -> Iterator[None]:
    """Turn what PyTorch raises in the block, without a class of its own, into what a user can read.

    Raises TrainError where memory, of the GPU or of the host, is not enough; ends a process that lost the others.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            smaller = max(1, batch_size // 2)
            raise TrainError(
                f"out of memory with BATCH_SIZE={batch_size}: give BATCH_SIZE={smaller}"
            ) from error
        if me.world > 1 and "gloo" in str(error).lower():
            raise SystemExit(f"process {me.rank} lost the others") from error
        raise
