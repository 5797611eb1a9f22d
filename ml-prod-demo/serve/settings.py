"""The environment, validated once at start."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Settings:
    model_path: Path
    log_level: str
    api_key: str | None
    redis_url: str | None
    database_url: str | None
    database_password: str | None


def quit_with(message: str) -> NoReturn:
    """End the process with one line on stderr and exit code 2."""
    print(f"api: {message}", file=sys.stderr)
    raise SystemExit(2)


def read_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; a bad value ends the process (`quit_with`). An empty variable counts as unset."""
    model_path = Path(env.get("MODEL_PATH") or "/models/iris_logreg.onnx")
    if model_path.suffix not in (".onnx", ".joblib"):
        quit_with(f"MODEL_PATH is '{model_path}'; it must end in .onnx or .joblib")
    log_level = (env.get("LOG_LEVEL") or "INFO").upper()
    if log_level not in LOG_LEVELS:
        quit_with(f"LOG_LEVEL is '{log_level}'; one of {', '.join(LOG_LEVELS)} is accepted")
    return Settings(
        model_path=model_path,
        log_level=log_level,
        api_key=_secret(env, "API_KEY_FILE"),
        redis_url=_url(env, "REDIS_URL", "redis", "rediss", "unix"),
        database_url=_url(env, "DATABASE_URL", "postgresql", "postgres"),
        database_password=_secret(env, "DATABASE_PASSWORD_FILE"),
    )


def _url(env: Mapping[str, str], name: str, *schemes: str) -> str | None:
    value = env.get(name) or None
    if value and value.partition("://")[0] not in schemes:
        # The value is not repeated: it may hold a password.
        quit_with(f"{name} must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return value


def _secret(env: Mapping[str, str], name: str) -> str | None:
    path = env.get(name)
    if not path:
        return None
    try:
        secret = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        quit_with(f"{name} is '{path}'; it cannot be read: {getattr(error, 'strerror', error)}")
    if not secret:
        quit_with(f"{name} is '{path}'; that file is empty")
    return secret
