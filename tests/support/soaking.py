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
