"""A machine unlike this one: stub programs stand for its docker, uname and apt."""

from __future__ import annotations

from pathlib import Path

SOURCES = "set -euo pipefail; . setup/lib.sh; . setup/engine.sh; . setup/images.sh; "
NO_ENGINE = "echo 'Cannot connect to the Docker daemon' >&2; exit 1"


def calls(tmp_path: Path) -> str:
    noted = tmp_path / "calls"
    return noted.read_text() if noted.exists() else ""
