"""Settings from environment variables, checked before anything is read or written."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
PATHS = {
    "RAW_PATH": "data/raw.csv",
    "CLEAN_PATH": "data/clean.csv",
    "REJECTS_PATH": "data/rejects.csv",
    "REPORT_PATH": "data/report.html",
}


class SettingError(Exception):
    """A bad setting. The text is one line: variable, value, and what is accepted."""


@dataclass(frozen=True)
class Settings:
    """Paths, the income range (per year) and the log level of one run."""

    raw: Path
    raw_was_set: bool
    clean: Path
    rejects: Path
    report: Path
    income_range: tuple[float, float]
    log_level: str


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the settings; a variable that is unset or empty takes its default.

    Raises SettingError for a value that is not accepted.
    """
    raw, clean, rejects, report = paths = [Path(env.get(n) or d) for n, d in PATHS.items()]
    if len({path.resolve() for path in paths}) < len(paths):
        listed = ", ".join(f"{name}={str(path)!r}" for name, path in zip(PATHS, paths, strict=True))
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
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SettingError(f"{name}={text!r} is not accepted: give a number, like {default:g}")
    return value
