"""The Redis stream of predictions, read as one consumer of a group.

An entry that was read stays with its consumer until it is acknowledged, also when that consumer is killed. So
nothing is lost between reading and committing; it is read again, and the table's key makes the second time harmless.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import NamedTuple

import redis

STREAM = "predictions"
GROUP = "recorder"
# What cannot be stored is put aside here, to be looked at, so that it does not hold up what comes after it.
BAD_STREAM = "predictions:bad"
BAD_KEPT = 10_000

BLOCK_MS = 1000
# A consumer that has not acknowledged for this long is taken for dead; its entries go to whoever asks.
CLAIM_IDLE_MS = 30_000


class Entry(NamedTuple):
    id: bytes
    payload: bytes


class Stream:
    """Raises redis.RedisError from every method when Redis is away; `open` it again then."""

    def __init__(self, url: str, password: str | None, consumer: str) -> None:
        self._redis = redis.Redis.from_url(url, password=password, socket_connect_timeout=2, socket_timeout=5)
        self._consumer = consumer
        self._left_unacknowledged = True
        self._next_claim = 0.0

    def open(self) -> None:
        """Make the group if it is not there, and start over with what this consumer has not acknowledged."""
        try:
            self._redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._left_unacknowledged = True
        self._next_claim = 0.0

    def read(self, count: int) -> list[Entry]:
        """Return up to `count` entries, oldest first; none when nothing came within a second."""
        if self._left_unacknowledged:
            if entries := self._read_group("0", count):
                return entries
            self._left_unacknowledged = False
        if time.monotonic() >= self._next_claim:
            if entries := self._claim(count):
                return entries
            self._next_claim = time.monotonic() + CLAIM_IDLE_MS / 1000
        return self._read_group(">", count)

    def put_aside(self, entry: Entry, reason: str) -> None:
        """Keep what cannot be stored, with the reason, unless Redis has no memory for it."""
        aside = {"record": entry.payload, "reason": reason}
        # Without memory only the log keeps it. To fail here would hold up the very entries that free memory.
        with suppress(redis.OutOfMemoryError):
            self._redis.xadd(BAD_STREAM, aside, maxlen=BAD_KEPT, approximate=True)

    def acknowledge(self, entries: list[Entry]) -> None:
        """Remove `entries` from the stream, for good."""
        ids = [entry.id for entry in entries]
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.xack(STREAM, GROUP, *ids)
            pipe.xdel(STREAM, *ids)
            pipe.execute()

    def waiting(self) -> float:
        """Return how many records are not in the database yet; NaN when Redis cannot tell.

        What was acknowledged is deleted, so the stream's length counts the unread and the unacknowledged.
        """
        try:
            return self._redis.xlen(STREAM)
        except redis.RedisError:
            return math.nan

    def _read_group(self, start: str, count: int) -> list[Entry]:
        answer = self._redis.xreadgroup(
            GROUP, self._consumer, {STREAM: start}, count=count, block=BLOCK_MS
        )
        return _entries(answer[0][1]) if answer else []

    def _claim(self, count: int) -> list[Entry]:
        answer = self._redis.xautoclaim(
            STREAM, GROUP, self._consumer, min_idle_time=CLAIM_IDLE_MS, count=count
        )
        return _entries(answer[1])


def _entries(pairs: list[tuple[bytes, dict[bytes, bytes] | None]]) -> list[Entry]:
    return [Entry(id, (fields or {}).get(b"record", b"")) for id, fields in pairs]
