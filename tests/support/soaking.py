"""`make soak` as a process of the tests."""

from __future__ import annotations

import os
import subprocess
import sys

from repository import ROOT


def soak(lab: str, *options: str) -> subprocess.Popen[str]:
    """Start it; what it says on either stream comes from `communicate()`."""
    return subprocess.Popen(
        [sys.executable, ROOT / "tests/soak/soak.py", lab, *options],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests/support")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_a_minute_goes_well(lab: str, seed: int) -> None:
    done = soak(lab, "--minutes=0.75", f"--seed={seed}")
    said, _ = done.communicate(timeout=900)
    assert done.returncode == 0, said
    assert "questions failed          0\n" in said
    print(said)
