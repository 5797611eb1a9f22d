"""Adds up squares with several workers, and keeps what it has computed in a cache."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MIB = 2**20
CGROUP = Path("/sys/fs/cgroup")  # where the kernel keeps the limits


def workers() -> int:
    """One for each processor that the container may use: so much time, in so long a period."""
    if (CGROUP / "cpu.max").exists():
        quota, period = (CGROUP / "cpu.max").read_text().split()
    else:  # the older layout, cgroup v1
        quota = (CGROUP / "cpu/cpu.cfs_quota_us").read_text()
        period = (CGROUP / "cpu/cpu.cfs_period_us").read_text()
    limited = quota.strip() not in ("max", "-1")
    return max(int(quota) // int(period), 1) if limited else os.cpu_count() or 1


def cache_mib() -> int:
    """Half of the memory that the container may use, but 512 MiB at most."""
    new, old = CGROUP / "memory.max", CGROUP / "memory/memory.limit_in_bytes"
    limit = (new if new.exists() else old).read_text().strip()
    return 512 if limit == "max" else min(int(limit) // 2 // MIB, 512)


def main() -> None:
    print(f"workers {workers()}, cache {cache_mib()} MiB", flush=True)
    with ThreadPoolExecutor(workers()) as pool:
        total = sum(pool.map(lambda number: number * number, range(1000)))
    cache = [b"x" * MIB for _ in range(cache_mib())]
    print(f"sum {total}, {len(cache)} MiB in the cache", flush=True)


main()
