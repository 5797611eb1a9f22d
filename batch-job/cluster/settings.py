"""Settings of the driver from environment variables, checked before anything is read or written."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from cleaner.settings import SettingError, number

FORMATS = ("csv", "parquet")


class Settings(NamedTuple):
    """Where the files are and where their parts go, in which format, the income range (per year), the scheduler."""

    source: str
    source_was_set: bool
    out: str
    format: str
    income_range: tuple[float, float]
    scheduler: str


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the settings; a variable that is unset or empty takes its default.

    Raises SettingError for a value that is not accepted.
    """
    source = (env.get("SOURCE") or "s3://labs/raw").rstrip("/")
    out = (env.get("OUT") or "s3://labs/clean").rstrip("/")
    places = (place if "://" in place else os.path.abspath(place) for place in (source, out))
    one, other = (f"{place}/" for place in places)
    if one.startswith(other) or other.startswith(one):
        raise SettingError(f"SOURCE={source!r}, OUT={out!r} is not accepted: one is in the other")

    format = (env.get("FORMAT") or "csv").lower()
    if format not in FORMATS:
        raise SettingError(f"FORMAT={format!r} is not accepted: give one of {', '.join(FORMATS)}")

    low, high = number(env, "INCOME_MIN", 0), number(env, "INCOME_MAX", 200_000)
    if low >= high:
        raise SettingError(f"INCOME_MIN={low:g} is not accepted: INCOME_MAX={high:g} is not more")
    scheduler = env.get("SCHEDULER") or "tcp://scheduler:8786"
    return Settings(source, bool(env.get("SOURCE")), out, format, (low, high), scheduler)
