"""Number libraries open a thread for every core of the host; here they follow the container's cpu limit.

Loaded by cpu_limit.pth at the start of every Python, before numpy or scikit-learn can count cores.
"""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def words_of(name: str) -> list[str]:
    """Return the words in a file of the control group, none when it is not there."""
    try:
        return (CGROUP / name).read_text().split()
    except OSError:
        return []


def cpu_limit() -> float:
    """Return the cpu quota of this container in cores, infinity when it has none.

    cgroup v2 has "quota period" in cpu.max ("max" for none), v1 a file each (-1 for none), in microseconds.
    """
    words = words_of("cpu.max") or [
        *words_of("cpu/cpu.cfs_quota_us"),
        *words_of("cpu/cpu.cfs_period_us"),
    ]
    if len(words) != 2 or words[0] in ("max", "-1"):
        return math.inf
    return int(words[0]) / int(words[1])


def threads() -> int:
    """Return how many threads can run at once: 1.5 cores keep two busy."""
    return math.ceil(min(cpu_limit(), len(os.sched_getaffinity(0))))


# OpenBLAS and OpenMP read the first, os.cpu_count() of every Python started from this one the second.
for variable in ("OMP_NUM_THREADS", "PYTHON_CPU_COUNT"):
    os.environ.setdefault(variable, str(threads()))
