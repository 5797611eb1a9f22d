"""Which request a prediction belongs to, so that one that is sent twice is recorded once."""

from __future__ import annotations

from contextvars import ContextVar
from uuid import UUID, uuid4, uuid5

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

REQUEST_ID: ContextVar[UUID] = ContextVar("request_id")
KEYS = UUID("2f3c1c0e-9a55-4a8e-8f0b-6a5b2f6b7c11")  # any will do that is used for nothing else


class NameRequest:
    """ASGI middleware: the same `Idempotency-Key` (the proxy sends one) gives the same REQUEST_ID."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            key = Headers(scope=scope).get("idempotency-key")
            REQUEST_ID.set(uuid5(KEYS, key) if key else uuid4())
        await self.app(scope, receive, send)
