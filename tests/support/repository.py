"""The repository under test: its labs, copies of what git holds, its base images."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LABS = sorted(path.parent.name for path in ROOT.glob("*/compose.yaml"))


def target_of(lab: str) -> str:
    (number,) = re.findall(rf"^lab_(\d+) = {lab}$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return f"lab{number}"


def copy_of_git(name: str, to: Path) -> Path:
    """Copy what git holds, or would hold, of a folder or file into the folder `to`; return the copy."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", name],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    # What setup has put there because no package index hands it out: `cp -r` would take it along too.
    wheels = [str(path.relative_to(ROOT)) for path in (ROOT / name).glob("wheels/*.whl")]
    for file in filter(None, [*listed, *wheels]):
        if (ROOT / file).exists():
            (to / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, to / file)
    return to / name


ENSURE_IMAGE = ". setup/lib.sh; . setup/engine.sh; . setup/images.sh; ensure_image"


def ensure_image(image: str) -> str:
    """Make sure of an image that no file of a lab names, the way `make` does; return its name."""
    subprocess.run(["bash", "-euc", f"{ENSURE_IMAGE} {image}"], cwd=ROOT, timeout=600, check=True)
    return image
