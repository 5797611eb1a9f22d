"""What the recorder is told through its environment, checked once at its start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from redis.connection import parse_url

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingError(ValueError):
    """A variable has a value that is not accepted. The text is one line for the person who set it."""


@dataclass(frozen=True)
class Settings:
    redis_url: str
    redis_password: str | None
    database_url: str
    database_password: str | None
    log_level: str


def read_settings(env: Mapping[str, str]) -> Settings:
    """Return the settings; an empty variable counts as unset. Raises SettingError."""
    log_level = (env.get("LOG_LEVEL") or "INFO").upper()
    if log_level not in LOG_LEVELS:
        raise SettingError(f"LOG_LEVEL is '{log_level}'; accepted are {', '.join(LOG_LEVELS)}")
    return Settings(
        _url(env, "REDIS_URL", ("redis", "rediss"), "redis://cache:6379/0", parse_url),
        _secret(env, "REDIS_PASSWORD_FILE"),
        _url(
            env,
            "DATABASE_URL",
            ("postgresql", "postgres"),
            "postgresql://app@db/predictions",
            conninfo_to_dict,
        ),
        _secret(env, "DATABASE_PASSWORD_FILE"),
        log_level,
    )


def _url(
    env: Mapping[str, str],
    name: str,
    schemes: tuple[str, ...],
    example: str,
    parse: Callable[[str], object],
) -> str:
    value = env.get(name) or ""
    try:
        if value.partition("://")[0] not in schemes:
            raise ValueError
        parse(value)
    except (ValueError, ProgrammingError):
        # Neither the value nor what is wrong with it is repeated: both may hold a password.
        raise SettingError(f"{name} is no address; one like {example} is accepted") from None
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
