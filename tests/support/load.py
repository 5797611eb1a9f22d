"""Steady HTTP load from a few workers in the background, with every answer counted.

async with Load(f"http://127.0.0.1:{port}/predict", SETOSA) as load:
    await load.until_answered(100)
    ...                               # break something
assert load.failed == {}, load.failed
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import httpx


class Load:
    """POST `payload` as JSON to `url`, each of `workers` again `pause` seconds after it had its answer.

    The pause leaves the processor to what is tested; 0 is for what has to be met at full load.

    `answers` holds the answers with status 200, newest last; `ok` their number; `failed` counts all else, by
    status code ("503") or by the name of the error ("ConnectError"); `slowest` is the longest time of one request,
    in seconds. With `stop_at_error` a worker ends at its
    first connection error: for the end of a server, where only broken answers are of interest.
    """

    def __init__(
        self,
        url: str,
        payload: object,
        workers: int = 8,
        headers: dict[str, str] | None = None,
        stop_at_error: bool = False,
        pause: float = 0.05,
    ) -> None:
        self.url = url
        self.payload = payload
        self.workers = workers
        self.headers = headers
        self.stop_at_error = stop_at_error
        self.pause = pause
        self.answers: list[dict] = []
        self.failed: Counter[str] = Counter()
        self.slowest = 0.0
        self._ending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def ok(self) -> int:
        return len(self.answers)

    async def until_answered(self, more: int, timeout: float = 60) -> None:
        """Wait for `more` further good answers; AssertionError with the counts when they do not come."""
        wanted = self.ok + more
        deadline = time.monotonic() + timeout
        while self.ok < wanted:
            counts = f"{self.ok} good answers, {wanted} wanted; failed: {dict(self.failed)}"
            assert time.monotonic() < deadline, counts
            await asyncio.sleep(0.02)

    async def until_workers_end(self, timeout: float = 60) -> None:
        """Wait until each worker has met its first error (see `stop_at_error`)."""
        await asyncio.wait_for(asyncio.gather(*self._tasks), timeout)

    async def __aenter__(self) -> Load:  # noqa: PYI034 (Self came with Python 3.11)
        self._client = httpx.AsyncClient(
            timeout=30, headers=self.headers, limits=httpx.Limits(max_connections=self.workers)
        )
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self.workers)]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let every request that is in flight come to its end, then stop."""
        self._ending.set()
        await asyncio.gather(*self._tasks)
        await self._client.aclose()

    async def _work(self) -> None:
        while not self._ending.is_set():
            asked = time.monotonic()
            try:
                answer = await self._client.post(self.url, json=self.payload)
            except httpx.TransportError as error:
                self.failed[type(error).__name__] += 1
                if self.stop_at_error:
                    return
            else:
                if answer.status_code == 200:
                    self.answers.append(answer.json())
                else:
                    self.failed[str(answer.status_code)] += 1
            self.slowest = max(self.slowest, time.monotonic() - asked)
            await asyncio.sleep(self.pause)
