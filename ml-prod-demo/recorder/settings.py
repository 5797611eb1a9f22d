"""What the recorder is told through its environment, checked once at start."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Settings:
    redis_url: str
    database_url: str
    database_password: str | None
    log_level: str


def read_settings() -> Settings:
    """Raises ValueError with one sentence that names the variable and says what is accepted."""
    return Settings(
        redis_url=_url("REDIS_URL", ("redis", "rediss"), "redis://cache:6379/0"),
        database_url=_url(
            "DATABASE_URL", ("postgresql", "postgres"), "postgresql://app@db/predictions"
        ),
        database_password=_password(),
        log_level=_log_level(),
    )


def _url(name: str, schemes: tuple[str, ...], example: str) -> str:
    value = os.environ.get(name, "")
    if urlsplit(value).scheme not in schemes:
        raise ValueError(f"{name}={value!r} is not an address like {example}")
    return value


def _password() -> str | None:
    path = os.environ.get("DATABASE_PASSWORD_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ValueError(f"DATABASE_PASSWORD_FILE={path!r}: {error.strerror}") from None


def _log_level() -> str:
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        raise ValueError(f"LOG_LEVEL={level!r} is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL")
    return level
