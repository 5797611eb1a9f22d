"""The Redis stream of predictions, read from its oldest entry on.

An entry stays in the stream until it is deleted, which is after it was committed. So nothing is lost between reading
and committing: whoever is killed there reads it again, and the table's key makes the second time harmless. Nothing else
has to be kept in Redis, so a full one, which refuses every write, is emptied like any other.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import redis

STREAM = "predictions"
# What cannot be stored is put aside here, to be looked at, so that it does not hold up what comes after it.
BAD_STREAM = "predictions:bad"
BAD_KEPT = 10_000

BLOCK_MS = 1000


class Entry(NamedTuple):
    id: bytes
    payload: bytes


class Stream:
    """Raises redis.RedisError from every method when Redis is away."""

    def __init__(self, url: str, password: str | None) -> None:
        self._redis = redis.Redis.from_url(
            url, password=password, socket_connect_timeout=2, socket_timeout=5
        )

    def read(self, count: int) -> list[Entry]:
        """Return the `count` oldest entries, or as many as there are; none when nothing came within a second."""
        answer = self._redis.xread({STREAM: "0"}, count=count, block=BLOCK_MS)
        pairs = answer[0][1] if answer else []
        return [Entry(id, fields.get(b"record", b"")) for id, fields in pairs]

    def put_aside(self, entry: Entry, reason: str) -> None:
        """Keep what cannot be stored, with the reason, unless Redis has no memory for it."""
        aside = {"record": entry.payload, "reason": reason}
        # Without memory only the log keeps it. To fail here would hold up the very entries that free memory.
        with suppress(redis.OutOfMemoryError):
            self._redis.xadd(BAD_STREAM, aside, maxlen=BAD_KEPT, approximate=True)

    def delete(self, entries: list[Entry]) -> None:
        self._redis.xdel(STREAM, *[entry.id for entry in entries])
