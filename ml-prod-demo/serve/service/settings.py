"""What the api is told through its environment, checked once at its start."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST_NAME = re.compile(r"[a-z0-9_.-]+")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingError(ValueError):
    """A variable has a value that is not accepted. The text is one line for the person who set it."""


@dataclass(frozen=True)
class Settings:
    model_path: Path
    log_level: str
    allowed_hosts: frozenset[str]


def read_settings(env: Mapping[str, str]) -> Settings:
    """Return the settings; an empty variable counts as unset. Raises SettingError."""
    model_path = Path(env.get("MODEL_PATH") or "/models/iris_logreg.onnx")
    if model_path.suffix not in (".onnx", ".joblib"):
        raise SettingError(f"MODEL_PATH is '{model_path}'; it must end in .onnx or .joblib")
    log_level = (env.get("LOG_LEVEL") or "INFO").upper()
    if log_level not in LOG_LEVELS:
        raise SettingError(f"LOG_LEVEL is '{log_level}'; accepted are {', '.join(LOG_LEVELS)}")
    hosts = (env.get("ALLOWED_HOSTS") or "").lower().split(",")
    allowed_hosts = frozenset(host.strip() for host in hosts) - {""}
    for host in allowed_hosts:
        if not HOST_NAME.fullmatch(host):
            raise SettingError(
                f"ALLOWED_HOSTS is '{host}'; names like api.example.com are accepted, with commas"
            )
    return Settings(model_path, log_level, allowed_hosts)
