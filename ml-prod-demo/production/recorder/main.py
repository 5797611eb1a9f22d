"""Takes predictions from the Redis stream and commits them to Postgres, each once, in batches.

Read a batch, commit it, and only then acknowledge it: killed anywhere in between, the batch is read again.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading

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

WRITTEN = Counter("records_written", "Records committed to the database")
REPEATED = Counter("records_repeated", "Records that were in the database already, sent once more")
BAD = Counter("records_bad", "Records put aside because they cannot be stored")
WAITING = Gauge("records_waiting", "Records in the stream that are not in the database yet")
CONNECTED = Gauge("recorder_connected", "1 when both Redis and Postgres are reached")

log = logging.getLogger("recorder")


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
    entries = stream.read(BATCH_SIZE)
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
    if entries:
        stream.acknowledge(entries)
    BAD.inc(len(bad))


def record_until(stop: threading.Event, settings: Settings, stream: Stream) -> None:
    """Record until `stop` is set, connecting again, ever more slowly, when Redis or Postgres is away."""
    delay = FIRST_DELAY_S
    while not stop.is_set():
        try:
            with connect(settings.database_url, settings.database_password) as connection:
                for name in migrate(connection):
                    log.info("schema: applied %s", name)
                stream.open()
                CONNECTED.set(1)
                log.info("connected")
                delay = FIRST_DELAY_S
                while not stop.is_set():
                    record_batch(stream, connection)
        except (redis.RedisError, psycopg.Error) as error:
            CONNECTED.set(0)
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

    # The host name is the container's: a restart finds what the container was killed with.
    stream = Stream(settings.redis_url, settings.redis_password, consumer=socket.gethostname())
    WAITING.set_function(stream.waiting)
    start_http_server(METRICS_PORT)
    record_until(stop, settings, stream)
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
