"""From the JSON in the stream to a row of the table `predictions`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Record(NamedTuple):
    """The columns of `predictions`, in order. Probabilities are by class index; latency is in milliseconds."""

    id: UUID
    time: datetime
    model_version: str
    features: list[float]
    class_index: int
    class_name: str
    probabilities: list[float]
    latency_ms: float


def parse(payload: bytes) -> Record:
    """Raises ValueError, saying what is wrong, when `payload` is not a whole record."""
    try:
        fields = json.loads(payload)
        record = Record(
            id=UUID(str(fields["id"])),
            time=datetime.fromisoformat(fields["time"]),
            model_version=str(fields["model_version"]),
            features=[float(value) for value in fields["features"]],
            class_index=int(fields["class_index"]),
            class_name=str(fields["class_name"]),
            probabilities=[float(value) for value in fields["probabilities"]],
            latency_ms=float(fields["latency_ms"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if record.time.tzinfo is None:
        raise ValueError(f"time {fields['time']!r} has no zone")
    return record
