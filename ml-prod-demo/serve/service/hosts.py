"""Under which names the api may be asked."""

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# An address, or a name without a dot (localhost, a container): nobody can have it point here for other people's browsers.
LOCAL = re.compile(r"[^.\[\]]*|[\d.]+|\[[^\]]*\]")


class CheckHost:
    """ASGI middleware. A page on evil.example can have that name point to 127.0.0.1 and then ask as if it were ours (DNS
    rebinding); but the browser says in `Host` which name was asked for."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self.app = app
        self.allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = re.sub(r":\d*$", "", Headers(scope=scope).get("host", "")).lower()
            if not LOCAL.fullmatch(host) and host not in self.allowed:
                reason = "an address is accepted, a name without a dot, and what ALLOWED_HOSTS says"
                problem = JSONResponse({"field": "Host", "reason": reason}, 403)
                return await problem(scope, receive, send)
        await self.app(scope, receive, send)
