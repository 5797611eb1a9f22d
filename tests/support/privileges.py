"""What root on Linux alone can make for a test: mounts, network namespaces, a second engine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

import pytest

AS_ROOT = [] if os.getuid() == 0 else ["sudo", "-n"]


def need_root_on_linux() -> None:
    """Skip the test, with the reason, where there is no Linux, or neither root nor passwordless sudo."""
    if platform.system() != "Linux":
        pytest.skip("needs Linux: it mounts a disk or starts a second engine")
    if AS_ROOT and not (
        shutil.which("sudo")
        and subprocess.run([*AS_ROOT, "true"], capture_output=True, check=False).returncode == 0
    ):
        pytest.skip("needs root or passwordless sudo: it mounts a disk or starts a second engine")
