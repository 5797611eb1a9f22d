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
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from production import metrics

STREAM = "predictions"
MAX_WAITING = 20_000  # predictions, about 10 MB; what comes while so many wait is lost, and counted
WRITE_AT_ONCE = 200
GATHER_SECONDS = 0.05  # one write for what comes within this time, instead of one a prediction
RETRY_SECONDS = 1.0
STOP_SECONDS = 5.0
MAX_CACHED = 10_000  # predictions in memory
CACHE_SECONDS = 3600  # in Redis

log = logging.getLogger("api.recording")

Features = tuple[float, ...]
Outcome = tuple[int, list[float]]  # class index, probabilities


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

    def records(self) -> Iterator[bytes]:
        """Yield each row as JSON. The times of a batch are a microsecond apart: that keeps its order."""
        columns = zip(self.rows, self.labels, self.probabilities, strict=True)
        for number, (features, label, probabilities) in enumerate(columns):
            record = {
                "id": str(uuid.uuid4()),
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

    async def follow(self, redis: Redis, version: str) -> None:
        """Take over what earlier processes asked the model `version`. Raises RedisError, OSError."""
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
                if value is not None:  # expired since
                    features = json.loads(key[len(_key(version)) :])
                    label, probabilities = json.loads(value)
                    self._remember(tuple(features), (label, probabilities))

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
            redis_url, password=redis_password, socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        self._queue: deque[Predictions] = deque()
        self._source: Iterator[bytes] = iter(())
        self._unwritten: list[bytes] = []
        self._waiting = 0
        self._news = asyncio.Event()
        self._stopping = False
        self._away = False
        metrics.RECORDS_WAITING.set_function(lambda: self._waiting)

    def start(self, version: Callable[[], str]) -> None:
        """Start writing. `version()` is the version of the model in service."""
        self._version = version
        self._task = asyncio.create_task(self._run())

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
        await self._redis.aclose()

    async def _run(self) -> None:
        while self._waiting or not self._stopping:
            await self._until_news()
            try:
                await self.cache.follow(self._redis, self._version())
                await self._write_some()
                await self.cache.save(self._redis)
                self._note(away=False)
            except (RedisError, OSError) as error:
                self._note(away=True, reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _until_news(self) -> None:
        """Return when there is enough to write, or some, or nothing since a second (the model may be another)."""
        if not self._waiting and not self._stopping:
            self._news.clear()
            await asyncio.wait([asyncio.ensure_future(self._news.wait())], timeout=1.0)
        if self._waiting < WRITE_AT_ONCE and not self._stopping:
            await asyncio.sleep(GATHER_SECONDS)

    async def _write_some(self) -> None:
        """Write up to WRITE_AT_ONCE records. Raises RedisError, OSError: then the next call writes the same ones."""
        if not self._unwritten:
            self._unwritten = self._take()
        pipeline = self._redis.pipeline(transaction=False)
        for record in self._unwritten:
            pipeline.xadd(STREAM, {"record": record})
        await pipeline.execute()
        self._waiting -= len(self._unwritten)
        metrics.RECORDS_WRITTEN.inc(len(self._unwritten))
        self._unwritten = []

    def _take(self) -> list[bytes]:
        records: list[bytes] = []
        while len(records) < WRITE_AT_ONCE:
            records += islice(self._source, WRITE_AT_ONCE - len(records))
            if len(records) < WRITE_AT_ONCE:
                if not self._queue:
                    break
                self._source = self._queue.popleft().records()
        return records

    def _note(self, away: bool, reason: str = "") -> None:
        """Log that Redis went or came, once."""
        if away and not self._away:
            log.warning("redis is away: predictions go on, records wait", extra={"reason": reason})
        elif self._away and not away:
            log.info("redis is back", extra={"waiting": self._waiting})
        self._away = away
