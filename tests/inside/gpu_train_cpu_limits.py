"""Print the CPUs that device.py reads off limits written the ways that kernels write them, on a host of 64."""

from __future__ import annotations

import json
import os
from pathlib import Path

from trainer.device import cpu_limit

V1_PERIOD = {"cpu/cpu.cfs_period_us": "100000"}
CASES = {
    "v2": {"cpu.max": "250000 100000"},
    "v2 of half a CPU": {"cpu.max": "50000 100000"},
    "v2 without a limit": {"cpu.max": "max 100000"},
    "v1": {"cpu/cpu.cfs_quota_us": "300000", **V1_PERIOD},
    "v1 without a limit": {"cpu/cpu.cfs_quota_us": "-1", **V1_PERIOD},
    "no files": {},
}


def limit(name: str, files: dict[str, str]) -> int:
    folder = Path("/tmp") / name
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return cpu_limit(folder)


os.sched_getaffinity = lambda _pid: set(range(64))
print(json.dumps({name: limit(name, files) for name, files in CASES.items()}))
