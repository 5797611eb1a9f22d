"""The model store of production: predictions come from the cache where they can, and every one is recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from model import Model, ModelStore
from schema import refuse
from service import metrics

from production.history import History
from production.recording import Cache, Predictions, Recording
from production.request_id import REQUEST_ID


class RecordingStore(ModelStore):
    def __init__(self, path: Path, recording: Recording | None, history: History | None) -> None:
        """Raises ModelError when there is no model to start with."""
        super().__init__(path)
        self._recording = recording
        self._history = history

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        if self._recording:
            self._recording.start(lambda: self.current)
        if self._history:
            await self._history.open()
        async with super().running():
            yield
        if self._recording:
            await self._recording.stop()
        if self._history:
            await self._history.close()

    def classify(self, rows: list[tuple[float, ...]]) -> tuple[Model, list[int], list[list[float]]]:
        """As ModelStore.classify. What is recorded as latency is the time that this took.

        Raises HTTPException (503) for a batch that the queue has no room for: it would not be recorded.
        """
        if not self._recording:
            return super().classify(rows)
        if len(rows) > 1 and not self._recording.has_room(len(rows)):
            reason = "too many predictions wait to be recorded; send the batch again later"
            raise refuse(503, "rows", reason, **{"Retry-After": "1"})
        started = perf_counter()
        outcome = (
            self._cached(self._recording.cache, rows[0])
            if len(rows) == 1
            else super().classify(rows)
        )
        model, labels, probabilities = outcome
        latency_ms = (perf_counter() - started) * 1000
        self._recording.add(
            Predictions(
                datetime.now(UTC), model.about["version"], model.classes,
                rows, labels, probabilities, latency_ms, REQUEST_ID.get(),
            )
        )  # fmt: skip
        return outcome

    def _cached(
        self, cache: Cache, features: tuple[float, ...]
    ) -> tuple[Model, list[int], list[list[float]]]:
        model = self.current
        version = model.about["version"]
        if known := cache.get(version, features):
            label, probabilities = known
            metrics.PREDICTIONS.labels(model.classes[label]).inc()
            return model, [label], [probabilities]
        model, (label,), (probabilities,) = super().classify([features])
        cache.put(version, features, (label, probabilities))
        return model, [label], [probabilities]
