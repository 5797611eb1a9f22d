"""Parts of a file go through several threads and come back in their order, and a bar shows how far it is."""

import logging
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO

from tqdm import tqdm

from cleaner.cleaning import Cleaned
from cleaner.reading import Part

log = logging.getLogger("batch-job")
SECONDS_BETWEEN_LINES = 5


def cpu_limit() -> int:
    """Return how many cores the container may use; Python itself counts those of the machine.

    cgroup v2 has "quota period" in one file ("max" for no limit), v1 in a file each (-1 for no limit).
    """
    cores = os.cpu_count() or 1
    for files in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        paths = [Path("/sys/fs/cgroup", file) for file in files]
        if all(path.exists() for path in paths):
            quota, period = " ".join(path.read_text() for path in paths).split()
            return (
                cores if quota in ("max", "-1") else min(cores, math.ceil(int(quota) / int(period)))
            )
    return cores


def in_order(work: Callable[[Part], Cleaned], parts: Iterable[Part]) -> Iterator[Cleaned]:
    """Yield what becomes of each part, in their order; a thread for each core, and one part waiting."""
    threads = cpu_limit()
    waiting: deque[Future[Cleaned]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def progress(file: IO[bytes], done: Iterable[Cleaned]) -> Iterator[Cleaned]:
    """Pass on what is done, and show how much of the file was read: a bar on a terminal, else a line now and then."""
    size, logged = os.fstat(file.fileno()).st_size, time.monotonic()
    # A terminal that a container gets may say that its size is 0 by 0.
    look = {"unit": "B", "unit_scale": True, "ncols": 80, "nrows": 20, "disable": None}
    with tqdm(total=size, desc="cleaning", **look) as bar:
        for item in done:
            yield item
            bar.update(file.tell() - bar.n)
            if bar.disable and time.monotonic() - logged > SECONDS_BETWEEN_LINES:
                logged = time.monotonic()
                log.info("cleaning: %d %% read", 100 * file.tell() / size)
