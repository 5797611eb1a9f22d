"""Settings from environment variables, checked before anything is read or written."""

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingError(Exception):
    """A bad setting. The text is one line: variable, value, and what is accepted."""


class Settings(NamedTuple):
    """Paths, the income range (per year) and the log level of one run."""

    raw: Path
    raw_was_set: bool
    clean: Path
    rejects: Path
    report: Path
    income_range: tuple[float, float]
    log_level: str


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the settings; a variable that is unset or empty takes its default. Raises SettingError."""
    raw = Path(env.get("RAW_PATH") or "data/raw.csv")
    clean = Path(env.get("CLEAN_PATH") or "data/clean.csv")
    rejects = Path(env.get("REJECTS_PATH") or "data/rejects.csv")
    report = Path(env.get("REPORT_PATH") or "data/report.html")
    if len({path.resolve() for path in (raw, clean, rejects, report)}) < 4:
        listed = f"RAW_PATH={raw}, CLEAN_PATH={clean}, REJECTS_PATH={rejects}, REPORT_PATH={report}"
        raise SettingError(f"{listed} is not accepted: give four different files")

    low, high = number(env, "INCOME_MIN", 0), number(env, "INCOME_MAX", 200_000)
    if low >= high:
        raise SettingError(f"INCOME_MIN={low:g} is not accepted: INCOME_MAX={high:g} is not more")

    level = (env.get("LOG_LEVEL") or "INFO").upper()
    if level not in LEVELS:
        raise SettingError(f"LOG_LEVEL={level!r} is not accepted: give one of {', '.join(LEVELS)}")
    return Settings(raw, bool(env.get("RAW_PATH")), clean, rejects, report, (low, high), level)


def number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name) or str(default)
    with suppress(ValueError):
        if math.isfinite(value := float(text)):
            return value
    raise SettingError(f"{name}={text!r} is not accepted: give a number, like {default:g}")
