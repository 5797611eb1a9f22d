"""Adds up squares with several workers, and keeps what it has computed in a cache."""

import os
from concurrent.futures import ThreadPoolExecutor

MIB = 2**20


def workers() -> int:
    """One for each processor."""
    return os.cpu_count() or 1


def cache_mib() -> int:
    """Half of the memory, but 512 MiB at most."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(memory // 2 // MIB, 512)


def main() -> None:
    print(f"workers {workers()}, cache {cache_mib()} MiB", flush=True)
    with ThreadPoolExecutor(workers()) as pool:
        total = sum(pool.map(lambda number: number * number, range(1000)))
    cache = [b"x" * MIB for _ in range(cache_mib())]
    print(f"sum {total}, {len(cache)} MiB in the cache", flush=True)


main()
