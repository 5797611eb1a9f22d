"""Takes predictions from the Redis stream and commits them to Postgres, each once, in batches.

Read a batch, commit it, and only then delete it: killed anywhere in between, the batch is read again.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
import threading
import time

import logs
import psycopg
import redis
from database import connect, insert, migrate
from prometheus_client import Counter, Gauge, start_http_server
from records import Record, parse
from settings import SettingError, Settings, read_settings
from stream import Stream

METRICS_PORT = 9100
BATCH_SIZE = 500
FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 5.0
SILENCE_S = 10.0  # after which an answer that does not come counts as none

WRITTEN = Counter("records_written", "Records committed to the database")
REPEATED = Counter("records_repeated", "Records that were in the database already, sent once more")
BAD = Counter("records_bad", "Records put aside because they cannot be stored")
CONNECTED = Gauge("recorder_connected", "1 when both Redis and Postgres are reached")

log = logging.getLogger("recorder")


class Contact:
    """When Redis and Postgres last answered. A database that hangs raises no error: only the clock tells."""

    def __init__(self) -> None:
        self.last = -math.inf
        CONNECTED.set_function(self.is_recent)

    def is_recent(self) -> bool:
        return time.monotonic() - self.last < SILENCE_S


def store(connection: psycopg.Connection, records: dict[bytes, Record]) -> dict[bytes, str]:
    """Commit `records` (by entry id) and return the reason for each one that Postgres refuses."""
    try:
        written = insert(connection, list(records.values()))
    except (psycopg.DataError, UnicodeError) as error:
        if len(records) == 1:
            return dict.fromkeys(records, str(error))
        # One of them spoils the batch: each on its own finds it, and stores the others.
        refused: dict[bytes, str] = {}
        for id, record in records.items():
            refused |= store(connection, {id: record})
        return refused
    WRITTEN.inc(written)
    REPEATED.inc(len(records) - written)
    return {}


def record_batch(stream: Stream, connection: psycopg.Connection) -> None:
    """Both Redis and Postgres are asked something, also when there is nothing to record: so it fails when one is away."""
    entries = stream.read(BATCH_SIZE)
    if not entries:
        connection.execute("SELECT 1")
        return
    records: dict[bytes, Record] = {}
    bad: dict[bytes, str] = {}
    for entry in entries:
        try:
            records[entry.id] = parse(entry.payload)
        except ValueError as error:
            bad[entry.id] = str(error)
    if records:
        bad |= store(connection, records)
    for entry in entries:
        if reason := bad.get(entry.id):
            log.error("record put aside: %s: %.1000r", reason, entry.payload)
            stream.put_aside(entry, reason)
    stream.delete(entries)
    BAD.inc(len(bad))


def record_until(stop: threading.Event, settings: Settings, stream: Stream) -> None:
    """Record until `stop` is set, connecting again, ever more slowly, when Redis or Postgres is away."""
    delay = FIRST_DELAY_S
    contact = Contact()
    while not stop.is_set():
        try:
            with connect(settings.database_url, settings.database_password) as connection:
                for name in migrate(connection):
                    log.info("schema: applied %s", name)
                while not stop.is_set():
                    record_batch(stream, connection)
                    if not contact.is_recent():
                        log.info("connected")
                    contact.last = time.monotonic()
                    delay = FIRST_DELAY_S
        except (redis.RedisError, psycopg.Error) as error:
            contact.last = -math.inf
            log.warning("again in %.2g s: %s", delay, " ".join(str(error).split()))
            stop.wait(delay)
            delay = min(2 * delay, LONGEST_DELAY_S)


def main() -> int:
    try:
        settings = read_settings(os.environ)
    except SettingError as error:
        print(f"recorder: {error}", file=sys.stderr)
        return 2
    logs.configure(settings.log_level)

    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())

    start_http_server(METRICS_PORT)
    record_until(stop, settings, Stream(settings.redis_url, settings.redis_password))
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
