"""One file that a run which was cut short goes on from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from settings import TrainError

FORMAT = 1
NEARLY_FULL = 1 << 16  # bytes: no file that is written here is smaller


def replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside `path` and rename into place: it holds the old or the new content, never a half.

    Raises TrainError where the disk is full.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        write(beside)
        beside.chmod(0o644)  # safetensors would let the owner alone read
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except Exception as error:  # every library has its own for a full disk
        free = shutil.disk_usage(path.parent).free
        beside.unlink(missing_ok=True)
        if free < NEARLY_FULL:
            raise TrainError(f"{path} was not written: No space left on device") from error
        raise


def save(path: Path, state: dict) -> None:
    replace(path, lambda beside: torch.save({"format": FORMAT, **state}, beside))


def load(path: Path, config: dict) -> dict | None:
    """Return the state at `path`, None where there is none.

    `weights_only` admits tensors and plain values: a checkpoint from a stranger runs no code. Raises
    TrainError where the file is unreadable or comes from another configuration, with what differs.
    """
    if not path.exists():
        return None
    remedy = f"move {path} away to start anew"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load names no set of errors
        raise TrainError(f"{path} cannot be read as a checkpoint: {remedy}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise TrainError(f"{path} is not a checkpoint of this program: {remedy}")
    there = state["config"]
    differs = [
        f"{key} was {there.get(key)}, is {config[key]}"
        for key in config
        if there.get(key) != config[key]
    ]
    if differs:
        raise TrainError(
            f"{path} is of another run: {'; '.join(differs)}. Set it back, or {remedy}"
        )
    return state
