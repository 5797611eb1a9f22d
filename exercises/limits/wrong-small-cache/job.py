"""Adds up squares with several workers, and keeps what it has computed in a cache."""

import os
from concurrent.futures import ThreadPoolExecutor

MIB = 2**20


def workers() -> int:
    """One for each processor that the container may use."""
    return int(os.environ["CPUS"])


def cache_mib() -> int:
    """Little enough."""
    return 32


def main() -> None:
    print(f"workers {workers()}, cache {cache_mib()} MiB", flush=True)
    with ThreadPoolExecutor(workers()) as pool:
        total = sum(pool.map(lambda number: number * number, range(1000)))
    cache = [b"x" * MIB for _ in range(cache_mib())]
    print(f"sum {total}, {len(cache)} MiB in the cache", flush=True)


main()
