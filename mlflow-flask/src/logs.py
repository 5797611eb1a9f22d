"""Logs: one JSON object a line, to standard output and to a file that is rotated by size."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from settings import Settings

FILE_BYTES = 5_000_000
OLD_FILES = 3


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; what was given as `extra={"fields": {...}}` stands beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        # Once: two handlers and the rotation ask for the same line, and it is a tenth of what an answer costs.
        fields = record.__dict__
        if "line" not in fields:
            fields["line"] = self.line_of(record)
        return fields["line"]

    def line_of(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configuration(settings: Settings) -> dict[str, Any]:
    """What gunicorn hands to `logging.config.dictConfig`, for its own lines and for the service's."""
    # A full disk may cost log lines, never an answer.
    logging.raiseExceptions = False
    stdout = {
        "class": "logging.StreamHandler",
        "formatter": "json",
        "stream": "ext://sys.stdout",
    }
    # Rotation by several processes would lose lines: only the one worker logs as `app` or `registry`.
    file = {
        "class": "logging.handlers.RotatingFileHandler",
        "formatter": "json",
        "filename": settings.log_file,
        "maxBytes": FILE_BYTES,
        "backupCount": OLD_FILES,
    }
    service = {"level": settings.log_level, "handlers": ["file"] if settings.log_file else []}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stdout": stdout, **({"file": file} if settings.log_file else {})},
        "root": {"level": "WARNING", "handlers": ["stdout"]},
        "loggers": {
            "app": service,
            "registry": service,
            # It hands nothing on to the root, so it gets the handler itself.
            "gunicorn.error": {"level": settings.log_level, "handlers": ["stdout"]},
            # The service has a line of its own for each request.
            "gunicorn.access": {"level": "ERROR"},
        },
    }
