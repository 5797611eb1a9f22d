"""One file that a run which was cut short goes on from."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import model
import torch

from trainer.errors import TrainError
from trainer.files import replace_file
from trainer.training import Progress, Training

FORMAT = 1


def config_of(training: Training) -> dict[str, object]:
    """What must be the same for a run to go on. Device and number of processes may change."""
    chosen = training.settings
    return {
        "EPOCHS": chosen.epochs,
        "BATCH_SIZE": chosen.batch_size,
        "LR": chosen.lr,
        "SEED": chosen.seed,
        "DATA_PATH": chosen.data_path,
        "the data's sha256": training.data.sha256,
        # A network may have the same weights and do something else with them.
        "model.py's sha256": hashlib.sha256(Path(model.__file__).read_bytes()).hexdigest()[:12],
    }


def save_checkpoint(path: Path, training: Training) -> None:
    state = {
        "format": FORMAT,
        "config": config_of(training),
        "progress": vars(training.progress),
        "model": training.model.state_dict(),
        "optimizer": training.optimizer.state_dict(),
        "schedule": training.schedule.state_dict(),
    }
    # In memory first: where the disk is full, torch.save hides the reason.
    whole = io.BytesIO()
    torch.save(state, whole)
    with replace_file(path) as file:
        file.write(whole.getbuffer())


def resume(path: Path, training: Training) -> None:
    """Take up the state at `path`; nothing happens where there is none.

    `weights_only` admits tensors and plain values: a checkpoint from a stranger runs no code. Raises TrainError
    where the file is unreadable, of another network or of another configuration, with what differs.
    """
    if not path.exists():
        return
    remedy = f"move {path} away to start anew"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load names no set of errors
        raise TrainError(f"{path} cannot be read as a checkpoint: {remedy}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise TrainError(f"{path} is not a checkpoint of this program: {remedy}")
    there, here = state.get("config"), config_of(training)
    if not isinstance(there, dict):
        raise TrainError(f"{path} does not say which settings it was made with: {remedy}")
    differs = [
        f"{key} was {there.get(key)}, is {here[key]}" for key in here if there.get(key) != here[key]
    ]
    if differs:
        raise TrainError(
            f"{path} is of another run: {'; '.join(differs)}. Set it back, or {remedy}"
        )
    try:
        training.model.load_state_dict(state["model"])
        training.optimizer.load_state_dict(state["optimizer"])
        training.schedule.load_state_dict(state["schedule"])
        training.progress = Progress(**state["progress"])
    except Exception as error:  # each of the three has its own
        raise TrainError(f"{path} does not fit the network in model.py: {remedy}") from error
