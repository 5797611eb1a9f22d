"""The table `predictions` in Postgres: its schema, and writing to it."""

from __future__ import annotations

from pathlib import Path

import psycopg
from records import Record

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, as long as nothing else in this database locks it.
MIGRATION_LOCK = 20_251_105

# The key makes a record that is sent twice harmless: see stream.py.
INSERT = f"""
    INSERT INTO predictions ({", ".join(Record._fields)})
    VALUES ({", ".join(["%s"] * len(Record._fields))})
    ON CONFLICT (id) DO NOTHING
"""


def connect(url: str, password: str | None) -> psycopg.Connection:
    """Raises psycopg.OperationalError within seconds when the database is away, also later, in the middle of a query."""
    return psycopg.connect(
        url, password=password, autocommit=True, connect_timeout=5, tcp_user_timeout=10_000
    )


def migrate(connection: psycopg.Connection) -> list[str]:
    """Run the files in migrations/ that this database has not seen, in order; return their names.

    The lock lets several recorders start at once; the transaction leaves all of the files or none.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        seen = {name for (name,) in connection.execute("SELECT name FROM schema_migrations")}
        new = [path for path in sorted(MIGRATIONS.glob("*.sql")) if path.name not in seen]
        for path in new:
            connection.execute(path.read_bytes())
            connection.execute("INSERT INTO schema_migrations (name) VALUES (%s)", [path.name])
    return [path.name for path in new]


def insert(connection: psycopg.Connection, records: list[Record]) -> int:
    """Commit `records`, all or none, and return how many were not there before.

    Raises psycopg.DataError or UnicodeError when a record holds what Postgres cannot store.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(INSERT, records)
        return cursor.rowcount
