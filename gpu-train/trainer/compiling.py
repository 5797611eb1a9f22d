"""torch.compile, where there is a compiler."""

from __future__ import annotations

import torch

from trainer.console import log
from trainer.errors import first_line
from trainer.training import Training


def compiled_if_possible(
    training: Training, batch: int, autocast: torch.autocast
) -> torch.nn.Module:
    """Return the compiled model, or the model itself and a line that says why.

    Compiling happens at the first step, forward and backward: one is made here, on `batch` images of zeros, where
    falling back is still possible.
    """
    images = training.data.train.x
    zeros = torch.zeros((batch, *images.shape[1:]), dtype=images.dtype, device=training.device)
    try:
        network = torch.compile(training.model)
        with autocast:
            logits = network(zeros.permute(0, 3, 1, 2))
        logits.sum().backward()
        return network
    except (RuntimeError, ImportError, OSError) as error:  # what a missing compiler raises
        log.info(f"COMPILE=1 does not work here, training without it: {first_line(error)}")
        return training.model
    finally:
        training.optimizer.zero_grad()
