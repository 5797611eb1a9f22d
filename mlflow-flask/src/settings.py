"""Settings of the prediction service, from environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingError(Exception):
    """A variable with a value that is not accepted; the message is one line for the person who set it."""


@dataclass(frozen=True)
class Settings:
    tracking_uri: str  # http://host:port of the MLflow server; empty: only the baked models
    poll_seconds: float  # how often the registry is asked where the aliases point
    request_timeout: int  # seconds for one question to the registry
    log_file: Path | None  # None: standard output only
    log_level: str


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read and check the variables; raises SettingError naming variable, value and what is accepted."""
    uri = env.get("MLFLOW_TRACKING_URI", "")
    if uri and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", uri):
        shown = without_password(uri)
        raise SettingError(f"MLFLOW_TRACKING_URI={shown!r}: must be http://HOST:PORT or empty")
    level = env.get("LOG_LEVEL") or "INFO"
    if level.upper() not in LEVELS:
        raise SettingError(f"LOG_LEVEL={level!r}: must be one of {', '.join(LEVELS)}")
    return Settings(
        tracking_uri=uri.rstrip("/"),
        poll_seconds=read_number(env, "POLL_SECONDS", 3, 0.2, 3600),
        request_timeout=int(read_number(env, "REGISTRY_TIMEOUT", 3, 1, 60)),
        log_file=read_log_file(env),
        log_level=level.upper(),
    )


def read_number(
    env: Mapping[str, str], name: str, default: float, low: float, high: float
) -> float:
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise SettingError(f"{name}={text!r}: must be a number from {low:g} to {high:g}")
    return value


def read_log_file(env: Mapping[str, str]) -> Path | None:
    text = env.get("LOG_FILE", "")
    if not text:
        return None
    try:
        open(text, "a").close()
    except OSError as error:
        reason = f"cannot be written ({error.strerror}); give a file in a writable folder"
        raise SettingError(f"LOG_FILE={text!r}: {reason}, or nothing") from None
    return Path(text)


def without_password(text: str) -> str:
    """Hide what stands between `//` and `@` in every address of a text."""
    return re.sub(r"//[^/\s]*@", "//***@", text)
