"""Fixtures of lab 2's tests: its image, a notebooks folder, the posture of its compose file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def jupyter_image(image_of: Callable[..., str]) -> str:
    return image_of("ds-lab")


@pytest.fixture
def posture() -> list[str]:
    """Options of `docker run`."""
    options = ["--read-only", "--tmpfs=/tmp:exec,mode=1777", "--cap-drop=ALL"]
    return [*options, "--security-opt=no-new-privileges:true"]


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    """An empty notebooks folder that every uid may write to."""
    made = tmp_path / "notebooks"
    made.mkdir()
    made.chmod(0o777)
    return made
