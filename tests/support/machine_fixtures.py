"""Fixtures of the tests that run setup/ on a machine unlike this one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from repository import ROOT


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`machine(script, docker="exit 1", LABS_NO_INSTALL="1")` runs a script where `docker` is that stub.

    Every stub notes its calls in the file `calls`, so that a test can say what was not called.
    """

    def run(script: str, stubs: dict[str, str], **env: str) -> subprocess.CompletedProcess[str]:
        for name, body in stubs.items():
            stub = tmp_path / "bin" / name
            stub.parent.mkdir(exist_ok=True)
            stub.write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/calls"\n{body}\n')
            stub.chmod(0o755)
        path = f"{tmp_path}/bin:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT, env={**os.environ, "PATH": path, "TMPDIR": str(tmp_path), **env},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run
