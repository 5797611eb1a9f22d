"""Prints the seconds that lab 3's api needs for a body of 4 MiB that comes in pieces of 16 bytes."""

import asyncio
import time

import schema
from starlette.requests import Request

PIECES = schema.MAX_BODY_BYTES // 16
sent = iter([{"type": "http.request", "body": b" " * 16, "more_body": True}] * (PIECES - 1))


async def receive() -> dict:
    return next(sent, {"type": "http.request", "body": b" " * 16, "more_body": False})


async def read() -> int:
    return len(await schema.read_body(Request({"type": "http"}, receive)))


started = time.perf_counter()
assert asyncio.run(read()) == schema.MAX_BODY_BYTES
print(time.perf_counter() - started)
