"""What the environment says, checked before anything is read or written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class JobError(Exception):
    """Something the user can mend. Its text is one line that says what, where and how."""


@dataclass(frozen=True)
class Settings:
    """Paths, the income range (per year) and the log level of one run."""

    raw: Path
    raw_was_set: bool
    clean: Path
    rejects: Path
    report: Path
    income_min: float
    income_max: float
    log_level: str


def number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise JobError(f"{name}={text!r} is not accepted: give a number, like {default:g}")
    return value


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; one that is unset or empty takes its default.

    Raises JobError that names the variable, its value and what is accepted.
    """
    paths = {
        name: Path(env.get(name) or default)
        for name, default in {
            "RAW_PATH": "data/raw.csv",
            "CLEAN_PATH": "data/clean.csv",
            "REJECTS_PATH": "data/rejects.csv",
            "REPORT_PATH": "data/report.html",
        }.items()
    }
    if len({path.resolve() for path in paths.values()}) < len(paths):
        listed = ", ".join(f"{name}={str(path)!r}" for name, path in paths.items())
        raise JobError(f"{listed} is not accepted: give four different files")

    low, high = number(env, "INCOME_MIN", 0.0), number(env, "INCOME_MAX", 200_000.0)
    if low >= high:
        raise JobError(f"INCOME_MIN={low:g} is not accepted: it must be below INCOME_MAX={high:g}")

    level = (env.get("LOG_LEVEL") or "INFO").upper()
    if level not in LEVELS:
        raise JobError(f"LOG_LEVEL={level!r} is not accepted: give one of {', '.join(LEVELS)}")

    return Settings(
        raw=paths["RAW_PATH"],
        raw_was_set=bool(env.get("RAW_PATH")),
        clean=paths["CLEAN_PATH"],
        rejects=paths["REJECTS_PATH"],
        report=paths["REPORT_PATH"],
        income_min=low,
        income_max=high,
        log_level=level,
    )
