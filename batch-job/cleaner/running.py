"""Parts of a file go through two threads and come back in their order, and a bar shows how far it is."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from tqdm import tqdm

from cleaner.cleaning import Cleaned
from cleaner.reading import Part
from cleaner.source import Source

THREADS = 2  # one thread of Arrow's reads meanwhile


def in_order(work: Callable[[Part], Cleaned], parts: Iterable[Part]) -> Iterator[Cleaned]:
    """Yield what becomes of each part, in their order; one part waits for each thread."""
    waiting: deque[Future[Cleaned]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def progress(source: Source, done: Iterable[Cleaned]) -> Iterator[Cleaned]:
    """Pass on what is done; on a terminal, a bar shows how much of the file was read."""
    size = os.fstat(source.disk.fileno()).st_size
    # A terminal that a container gets may say that its size is 0 by 0.
    look = {"unit": "B", "unit_scale": True, "ncols": 80, "nrows": 20, "disable": None}
    with tqdm(total=size, desc="cleaning", **look) as bar:
        for part in done:
            yield part
            bar.update(source.disk.tell() - bar.n)
