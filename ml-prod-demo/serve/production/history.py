"""Recorded predictions, read from Postgres, and the route that lists them."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import psycopg
from fastapi import APIRouter, Query
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, ConfigDict, Field
from schema import Problem, refuse

# Times alone may be equal; with the id the order is total, so a page starts exactly where the last one ended.
NEWEST = """
    SELECT id, time, model_version, features, class_index, class_name, probabilities, latency_ms
    FROM predictions
    WHERE (time, id) < (%s, %s)
    ORDER BY time DESC, id DESC
    LIMIT %s
"""

NIL = UUID(int=0)
SECONDS = 5.0  # for an answer of the database, connection included

log = logging.getLogger("api.history")


class Page(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=1000, description="How many records")
    before: str | None = Field(
        None,
        description="Older than this ISO 8601 time, or than the last record of a page: its `next`",
        json_schema_extra={"format": "date-time"},
    )


def parse_before(text: str | None) -> tuple[datetime, UUID]:
    """Return the place to read on from: "TIME", or "TIME,ID" as `next` has it. Raises HTTPException (422)."""
    if text is None:
        return datetime.max.replace(tzinfo=UTC), NIL
    time, _, id_ = text.partition(",")
    try:
        moment = datetime.fromisoformat(time)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        # Converting also finds the times that no calendar has: year 1 in a zone east of Greenwich.
        return moment.astimezone(UTC), UUID(id_ or NIL.hex)
    except (ValueError, OverflowError):
        reason = "an ISO 8601 time is accepted, or the `next` of a page"
        raise refuse(422, "before", reason) from None


def history_router(history: History) -> APIRouter:
    router = APIRouter()

    @router.get("/predictions", responses={code: {"model": Problem} for code in (401, 422, 503)})
    async def predictions(page: Annotated[Page, Query()]) -> dict:
        """Recorded predictions, newest first."""
        return await history.newest(page.limit, parse_before(page.before))

    return router


class History:
    def __init__(self, url: str, password: str | None) -> None:
        """Raises ValueError for a URL that is none."""
        connection = {"row_factory": dict_row, "autocommit": True, "connect_timeout": 2}
        # In ms; else a connection to a host that died is held for minutes.
        connection["tcp_user_timeout"] = 5000
        if password:
            connection["password"] = password
        try:
            psycopg.conninfo.make_conninfo(url)
        except psycopg.ProgrammingError as error:
            raise ValueError(str(error).strip()) from None
        self._pool = AsyncConnectionPool(
            url, kwargs=connection, min_size=0, max_size=4, timeout=2, open=False,
            # Else its pauses between attempts double for five minutes, also when the database is back meanwhile.
            reconnect_timeout=2,
            # After a restart of Postgres the pool holds dead connections: ask before handing one out.
            check=AsyncConnectionPool.check_connection,
        )  # fmt: skip

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close(timeout=1)

    async def _ask(self, limit: int, before: tuple[datetime, UUID]) -> list[dict]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(NEWEST, (*before, limit))).fetchall()

    async def newest(self, limit: int, before: tuple[datetime, UUID]) -> dict:
        """Return {"predictions": [...], "next": place to read on, or None}. Raises HTTPException (503)."""
        away = refuse(503, "database", "the database does not answer; try again later")
        asking = asyncio.create_task(self._ask(limit, before))
        # A database that hangs is given up without waiting for what gives it up.
        if not (await asyncio.wait([asking], timeout=SECONDS))[0]:
            asking.cancel()
            log.warning("database hangs", extra={"reason": f"no answer within {SECONDS:g} s"})
            raise away
        try:
            rows = asking.result()
        except psycopg.Error as error:
            log.warning("database is away", extra={"reason": str(error)})
            raise away from None
        if len(rows) < limit:
            return {"predictions": rows, "next": None}
        # With a Z: the + of +00:00 would be a space in a URL.
        time = rows[-1]["time"].astimezone(UTC).replace(tzinfo=None)
        return {"predictions": rows, "next": f"{time.isoformat()}Z,{rows[-1]['id']}"}
