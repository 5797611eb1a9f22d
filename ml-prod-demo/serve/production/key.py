"""Who may ask: with API_KEY_FILE set, whoever sends the key that is in that file."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader
from schema import refuse

HEADER = APIKeyHeader(name="X-API-Key", auto_error=False)


def key_check(expected: str) -> Any:
    """Return a dependency for routes; it refuses (401) who does not send `expected` as X-API-Key."""

    async def check(sent: Annotated[str | None, Security(HEADER)]) -> None:
        # In constant time: how long it takes must not tell how much of a guess was right.
        if not hmac.compare_digest((sent or "").encode(), expected.encode()):
            raise refuse(401, "X-API-Key", "a valid key is needed in this header")

    return Depends(check)
