"""What production adds to the api's environment, checked once at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.settings import SettingError


@dataclass(frozen=True)
class Settings:
    api_key: str | None
    redis_url: str | None
    redis_password: str | None
    database_url: str | None
    database_password: str | None


def read_settings(env: Mapping[str, str]) -> Settings:
    """Return the settings; an empty variable counts as unset. Raises SettingError."""
    return Settings(
        api_key=_key(env, "API_KEY_FILE"),
        redis_url=_url(env, "REDIS_URL", "redis", "rediss", "unix"),
        redis_password=_secret(env, "REDIS_PASSWORD_FILE"),
        database_url=_url(env, "DATABASE_URL", "postgresql", "postgres"),
        database_password=_secret(env, "DATABASE_PASSWORD_FILE"),
    )


def _url(env: Mapping[str, str], name: str, *schemes: str) -> str | None:
    value = env.get(name) or None
    if value and value.partition("://")[0] not in schemes:
        # The value is not repeated: it may hold a password.
        accepted = " or ".join(f"{scheme}://" for scheme in schemes)
        raise SettingError(f"{name} is no address; it must start with {accepted}")
    return value


def _key(env: Mapping[str, str], name: str) -> str | None:
    key = _secret(env, name)
    if key and not (key.isascii() and key.isprintable()):
        # As it would be sent in a header, where it could never match.
        raise SettingError(
            f"{name} is '{env[name]}'; one line of ASCII characters is accepted in it"
        )
    return key


def _secret(env: Mapping[str, str], name: str) -> str | None:
    path = env.get(name)
    if not path:
        return None
    try:
        secret = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", error)
        raise SettingError(
            f"{name} is '{path}'; a file that can be read is accepted: {reason}"
        ) from None
    if not secret:
        raise SettingError(f"{name} is '{path}'; that file is empty")
    return secret
