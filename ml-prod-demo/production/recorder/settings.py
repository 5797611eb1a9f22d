"""What the recorder is told through its environment, checked once at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingError(ValueError):
    """A variable has a value that is not accepted. The text is one line for the person who set it."""


@dataclass(frozen=True)
class Settings:
    redis_url: str
    database_url: str
    database_password: str | None
    log_level: str


def read_settings(env: Mapping[str, str]) -> Settings:
    """Return the settings; an empty variable counts as unset. Raises SettingError."""
    log_level = (env.get("LOG_LEVEL") or "INFO").upper()
    if log_level not in LOG_LEVELS:
        raise SettingError(f"LOG_LEVEL is '{log_level}'; accepted are {', '.join(LOG_LEVELS)}")
    return Settings(
        _url(env, "REDIS_URL", ("redis", "rediss"), "redis://cache:6379/0"),
        _url(env, "DATABASE_URL", ("postgresql", "postgres"), "postgresql://app@db/predictions"),
        _secret(env, "DATABASE_PASSWORD_FILE"),
        log_level,
    )


def _url(env: Mapping[str, str], name: str, schemes: tuple[str, ...], example: str) -> str:
    value = env.get(name) or ""
    if urlsplit(value).scheme not in schemes:
        # The value is not repeated: it may hold a password.
        raise SettingError(f"{name} is no address; one like {example} is accepted")
    return value


def _secret(env: Mapping[str, str], name: str) -> str | None:
    path = env.get(name)
    if not path:
        return None
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", error)
        raise SettingError(
            f"{name} is '{path}'; a file that can be read is accepted: {reason}"
        ) from None
