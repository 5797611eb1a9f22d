"""What the environment says, checked before anything is read or written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from trainer.errors import TrainError

DEVICES = ("auto", "cpu", "cuda")


class SettingError(TrainError):
    """A variable that cannot be used. The text names it, its value and what is accepted."""


@dataclass(frozen=True)
class Settings:
    """One run. `batch_size` counts samples of one step over all processes together."""

    epochs: int
    batch_size: int
    lr: float
    seed: int
    device: str
    data_path: str
    compile: bool
    processes: int
    nodes: int
    rendezvous: str


def whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name) or str(default)
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise SettingError(
            f"{name}={text!r} is not accepted: give a whole number from {low} to {high}"
        )
    return value


def learning_rate(env: Mapping[str, str], default: float) -> float:
    text = env.get("LR") or str(default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:  # NaN fails too
        raise SettingError(f"LR={text!r} is not accepted: give a number above 0, like {default:g}")
    return value


def one_of(env: Mapping[str, str], name: str, accepted: tuple[str, ...]) -> str:
    """Return the variable's value; the first one accepted is the default."""
    value = env.get(name) or accepted[0]
    if value not in accepted:
        raise SettingError(f"{name}={value!r} is not accepted: give one of {', '.join(accepted)}")
    return value


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; one that is unset or empty takes its default.

    Raises SettingError that names the variable, its value and what is accepted.
    """
    settings = Settings(
        epochs=whole(env, "EPOCHS", 30, 1, 100_000),
        batch_size=whole(env, "BATCH_SIZE", 64, 1, 1_000_000),
        lr=learning_rate(env, 0.008),
        seed=whole(env, "SEED", 42, 0, 2**31 - 1),
        device=one_of(env, "DEVICE", DEVICES),
        data_path=env.get("DATA_PATH") or "digits",
        compile=one_of(env, "COMPILE", ("0", "1")) == "1",
        processes=whole(env, "NPROC", 1, 1, 64),
        nodes=whole(env, "NNODES", 1, 1, 64),
        rendezvous=env.get("RDZV_ENDPOINT") or "",
    )
    together = settings.processes * settings.nodes
    if settings.batch_size % together:
        raise SettingError(
            f"BATCH_SIZE={settings.batch_size} does not divide among NPROC x NNODES = {together} "
            f"processes: give a multiple of {together}"
        )
    if settings.nodes > 1 and not settings.rendezvous:
        raise SettingError(
            f"NNODES={settings.nodes} needs RDZV_ENDPOINT=host:port, "
            "where the machines find each other"
        )
    return settings
