"""Several processes, on one machine or more: PyTorch's own elastic launcher, torchrun."""

from __future__ import annotations

import logging
import os

from trainer.console import log
from trainer.device import cpu_limit
from trainer.settings import Settings

# How often torchrun starts the processes again, from the last checkpoint, when one of them dies.
MAX_RESTARTS = 3


def is_worker() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ


def launch(settings: Settings, script: str) -> int:
    """Run `script` under torchrun as NPROC processes here, NNODES machines in all; return the exit code."""
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    options = [f"--nproc-per-node={settings.processes}", f"--max-restarts={MAX_RESTARTS}"]
    options += ["--monitor-interval=1"]
    if settings.nodes > 1:
        options += [f"--nnodes={settings.nodes}", "--rdzv-backend=c10d", "--rdzv-id=gpu-train"]
        options += [f"--rdzv-endpoint={settings.rendezvous}"]
    else:
        # Without a network the container's own name means nothing; loopback is always there.
        options += ["--standalone", "--local-addr=localhost"]
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    # One store for all rounds hands processes that are started again the addresses of the dead ones
    # (pytorch issue 135712): each round makes its own.
    os.environ.setdefault("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "1")
    threads = max(1, cpu_limit() // settings.processes)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # torchrun would say 1, in four lines
    logging.getLogger("torch.distributed").setLevel(logging.ERROR)
    try:
        run.run(run.parse_args([*options, script]))
    except SignalException:
        # The processes had the same signal: they have saved and said so.
        return 0
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        log.error(
            f"error: process {rank} failed {MAX_RESTARTS + 1} times (exit code {failure.exitcode}): "
            "its last words are above"
        )
        return failure.exitcode if failure.exitcode > 0 else 1
    return 0
