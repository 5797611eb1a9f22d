"""Every prediction into a Redis stream, and a cache of predictions: both off the path of the request.

The contract with what reads the stream: its name is `predictions`; an entry is one prediction and has one field,
`record`, a JSON object as `Predictions.records` makes it. An entry may come twice (Redis did as asked, but its answer got lost, and the
write was repeated): the same `id` is the same prediction.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from model import Model
from pydantic import TypeAdapter
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from service import tasks

from production import metrics

STREAM = "predictions"
# Predictions, about 55 MB. While so many wait, what is asked alone is answered, not recorded, and counted as lost.
MAX_WAITING = 60_000
# Batches are refused earlier: what is asked alone still has room.
MAX_WAITING_WITH_BATCH = 50_000
WRITE_AT_ONCE = 200
GATHER_SECONDS = 0.05  # one write for what comes within this time, instead of one a prediction
IDLE_SECONDS = 1.0
STOP_SECONDS = 5.0  # with the 15 that uvicorn gives to requests, less than stop_grace_period
MAX_CACHED = 10_000  # predictions in memory
CACHE_SECONDS = 3600  # in Redis

log = logging.getLogger("api.recording")

Features = tuple[float, ...]
Outcome = tuple[int, list[float]]  # class index, probabilities

FEATURES: TypeAdapter[Features] = TypeAdapter(Features)
OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)


@dataclass(frozen=True, slots=True)
class Predictions:
    """The rows of one request, as they wait: made into records later, not while the caller waits."""

    time: datetime
    model_version: str
    classes: list[str]
    rows: Sequence[Features]
    labels: Sequence[int]
    probabilities: Sequence[list[float]]
    latency_ms: float
    request_id: uuid.UUID = field(default_factory=uuid.uuid4)

    def records(self) -> Iterator[bytes]:
        """Yield each row as JSON. The times of a batch are a microsecond apart: that keeps its order.

        A request that is sent again gives the same ids; another one with its id by mistake does not.
        """
        columns = zip(self.rows, self.labels, self.probabilities, strict=True)
        for number, (features, label, probabilities) in enumerate(columns):
            record = {
                "id": str(uuid.uuid5(self.request_id, f"{number} {features}")),
                "time": (self.time + timedelta(microseconds=number)).isoformat(),
                "model_version": self.model_version,
                "features": features,
                "class_index": label,
                "class_name": self.classes[label],
                "probabilities": probabilities,
                "latency_ms": self.latency_ms,
            }
            yield json.dumps(record).encode()


class Cache:
    """Predictions by model version and features, in memory and, for the next process, in Redis.

    Asking Redis takes ten times as long as asking this model, so no request waits for it: Redis is read when a model
    comes into service, and written behind the answers. For a model slower than a network round trip, ask it in `get`.
    """

    def __init__(self) -> None:
        self._version = ""
        self._known: dict[Features, Outcome] = {}
        self._unsaved: deque[tuple[str, str]] = deque(maxlen=MAX_CACHED)

    def get(self, version: str, features: Features) -> Outcome | None:
        outcome = self._known.get(features) if version == self._version else None
        if outcome is not None:
            metrics.CACHE_HITS.inc()
        return outcome

    def put(self, version: str, features: Features, outcome: Outcome) -> None:
        if version == self._version:
            self._remember(features, outcome)
            self._unsaved.append((_key(version) + json.dumps(features), json.dumps(outcome)))

    async def follow(self, redis: Redis, model: Model) -> None:
        """Take over what earlier processes asked this model. Raises RedisError, OSError."""
        version = model.about["version"]
        if version == self._version:
            return
        # Asked first: where Redis is away, there is no cache.
        keys = [key async for key in redis.scan_iter(match=_key(version) + "*", count=1000)][
            :MAX_CACHED
        ]
        self._known, self._version = {}, version
        for start in range(0, len(keys), WRITE_AT_ONCE):
            some = keys[start : start + WRITE_AT_ONCE]
            for key, value in zip(some, await redis.mget(some), strict=True):
                # Not taken: what expired since, and what somebody else has put there.
                with suppress(ValueError):
                    features = FEATURES.validate_json(key[len(_key(version)) :])
                    label, probabilities = OUTCOME.validate_json(value or b"")
                    classes = len(model.classes)
                    if 0 <= label < classes and len(probabilities) == classes:
                        self._remember(features, (label, probabilities))

    async def save(self, redis: Redis) -> None:
        """Write what is new. Raises RedisError, OSError; what was not written then is just not cached."""
        pipeline = redis.pipeline(transaction=False)
        while self._unsaved and len(pipeline) < WRITE_AT_ONCE:
            key, value = self._unsaved.popleft()
            pipeline.set(key, value, ex=CACHE_SECONDS)
        await pipeline.execute()

    def _remember(self, features: Features, outcome: Outcome) -> None:
        if len(self._known) >= MAX_CACHED:
            del self._known[next(iter(self._known))]
        self._known[features] = outcome


def _key(version: str) -> str:
    return f"prediction:{version}:"


class Recording:
    """A bounded queue, and a task that empties it into Redis. `add` never waits and never fails."""

    def __init__(self, redis_url: str, redis_password: str | None = None) -> None:
        """Raises ValueError for a URL that is none."""
        self.cache = Cache()
        # It would repeat what failed for seconds; here the queue does that.
        self._redis = Redis.from_url(
            redis_url,
            password=redis_password,
            socket_connect_timeout=1,
            socket_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )
        self._queue: deque[Predictions] = deque()
        self._source: Iterator[bytes] = iter(())
        self._unwritten: list[bytes] = []
        self._waiting = 0
        self._news = asyncio.Event()
        self._stopping = False
        metrics.RECORDS_WAITING.set_function(lambda: self._waiting)

    def start(self, current: Callable[[], Model]) -> None:
        """Start writing. `current()` is the model in service."""
        self._current = current
        self._task = asyncio.create_task(
            tasks.supervise("recording", self._do_round, self._has_work)
        )

    def has_room(self, count: int) -> bool:
        """Whether a batch of `count` rows is recorded without pushing out what is asked alone."""
        return self._waiting + count <= MAX_WAITING_WITH_BATCH

    def add(self, predictions: Predictions) -> None:
        count = len(predictions.rows)
        if self._waiting + count > MAX_WAITING:
            metrics.RECORDS_LOST.inc(count)
            return
        self._waiting += count
        self._queue.append(predictions)
        self._news.set()

    async def stop(self) -> None:
        """Write what still waits, for STOP_SECONDS at most; what is then left is lost, counted and logged."""
        self._stopping = True
        self._news.set()
        await asyncio.wait([self._task], timeout=STOP_SECONDS)
        self._task.cancel()
        if self._waiting:
            metrics.RECORDS_LOST.inc(self._waiting)
            log.error("records lost at the end", extra={"records": self._waiting})
        # A Redis that hangs is not waited for: closing takes socket_connect_timeout at most.
        with suppress(RedisError, OSError):
            await self._redis.aclose()

    def _has_work(self) -> bool:
        return self._waiting > 0 or not self._stopping

    async def _do_round(self) -> None:
        """Raises ConnectionError when Redis is away, or full; the next round writes the same records."""
        await self._until_news()
        try:
            metrics.RECORDS_IN_STREAM.set(await self._redis.xlen(STREAM))
            await self._write_some()
            await self.cache.follow(self._redis, self._current())
            await self.cache.save(self._redis)
        except (RedisError, OSError) as error:
            raise ConnectionError(f"redis: {error}; predictions go on, records wait") from None

    async def _until_news(self) -> None:
        """Return when there is enough to write, or some, or nothing since a second (the model may be another)."""
        if self._stopping:
            return
        if not self._waiting:
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), IDLE_SECONDS)
        if self._waiting < WRITE_AT_ONCE:
            await asyncio.sleep(GATHER_SECONDS)

    async def _write_some(self) -> None:
        """Write up to WRITE_AT_ONCE records. Raises RedisError, OSError: then the next call writes those that are not."""
        if not self._unwritten:
            self._unwritten = self._take()
        pipeline = self._redis.pipeline(transaction=False)
        for record in self._unwritten:
            pipeline.xadd(STREAM, {"record": record})
        answers = await pipeline.execute(raise_on_error=False)
        # A Redis that is nearly full takes some.
        refused = [
            (record, answer)
            for record, answer in zip(self._unwritten, answers, strict=True)
            if isinstance(answer, RedisError)
        ]
        written = len(answers) - len(refused)
        self._unwritten = [record for record, _ in refused]
        self._waiting -= written
        metrics.RECORDS_WRITTEN.inc(written)
        if refused:
            raise refused[0][1]

    def _take(self) -> list[bytes]:
        records: list[bytes] = []
        while len(records) < WRITE_AT_ONCE:
            records += islice(self._source, WRITE_AT_ONCE - len(records))
            if len(records) < WRITE_AT_ONCE:
                if not self._queue:
                    break
                self._source = self._queue.popleft().records()
        return records
