"""Recorded predictions, read from Postgres."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from schema import Refused

# Times alone may be equal; with the id the order is total, so a page starts exactly where the last one ended.
NEWEST = """
    SELECT id, time, model_version, features, class_index, class_name, probabilities, latency_ms
    FROM predictions
    WHERE (time, id) < (%s, %s)
    ORDER BY time DESC, id DESC
    LIMIT %s
"""

log = logging.getLogger("api.history")


class History:
    def __init__(self, url: str, password: str | None) -> None:
        """Raises ValueError for a URL that is none."""
        connection = {"row_factory": dict_row, "autocommit": True, "connect_timeout": 2}
        if password:
            connection["password"] = password
        try:
            psycopg.conninfo.make_conninfo(url)
        except psycopg.ProgrammingError as error:
            raise ValueError(str(error).strip()) from None
        self._pool = AsyncConnectionPool(
            url, kwargs=connection, min_size=0, max_size=4, timeout=2, open=False,
            # After a restart of Postgres the pool holds dead connections: ask before handing one out.
            check=AsyncConnectionPool.check_connection,
        )  # fmt: skip

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close()

    async def newest(self, limit: int, before: tuple[datetime, UUID]) -> dict:
        """Return {"predictions": [...], "next": place to read on, or None}. Raises Refused (503)."""
        try:
            async with self._pool.connection() as connection:
                rows = await (await connection.execute(NEWEST, (*before, limit))).fetchall()
        except psycopg.Error as error:
            log.warning("database is away", extra={"reason": str(error)})
            raise Refused(
                503, "database", "the database does not answer; try again later"
            ) from None
        if len(rows) < limit:
            return {"predictions": rows, "next": None}
        # With a Z: the + of +00:00 would be a space in a URL.
        time = rows[-1]["time"].astimezone(UTC).replace(tzinfo=None)
        return {"predictions": rows, "next": f"{time.isoformat()}Z,{rows[-1]['id']}"}
