"""Lab 3's recording, idle for an hour by a clock that skips every wait, on a Redis that once does what nobody foresaw.

Prints what is left of it, as JSON.
"""

import asyncio
import json
import selectors
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace

from production import metrics
from production.recording import MAX_WAITING, Predictions, Recording
from service import metrics as service_metrics
from service import tasks

HOUR = 3600
MODEL = SimpleNamespace(about={"version": "v1"}, classes=["setosa"])


class Redis:
    """Answers at once, and fails in the second round."""

    def __init__(self) -> None:
        self.rounds = 0
        self.written = 0
        self.asked = 0

    async def xlen(self, stream: str) -> int:
        self.rounds += 1
        if self.rounds == 2:
            raise KeyError("unforeseen")
        return self.written

    def pipeline(self, transaction: bool) -> "Redis":
        return self

    def __len__(self) -> int:
        return 0

    def xadd(self, stream: str, fields: dict) -> None:
        self.written += 1
        self.asked += 1

    async def execute(self, raise_on_error: bool = True) -> list[bytes]:
        answers, self.asked = [b"id"] * self.asked, 0
        return answers

    async def scan_iter(self, **options: object) -> AsyncIterator[bytes]:
        for key in list[bytes]():
            yield key

    async def aclose(self) -> None:
        pass


class SkippingSelector(selectors.DefaultSelector):
    """Waits for nothing: the time it was to wait is just over."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list:
        self.now += timeout or 0
        return super().select(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = SkippingSelector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now


async def main() -> None:
    recording = Recording("redis://nowhere")
    recording._redis = redis = Redis()
    recording.start(lambda: MODEL)
    await asyncio.sleep(HOUR)
    left = len(asyncio.all_tasks())
    row = Predictions(datetime.now(UTC), "v1", ["setosa"], [(1.0,)], [0], [[1.0]], 0.1)
    for _ in range(MAX_WAITING + 1):
        recording.add(row)
    await recording.stop()
    seen = {
        "rounds": redis.rounds,
        "tasks": left,
        "failures": service_metrics.TASK_FAILURES.labels("recording")._value.get(),
        "problems": tasks.problems,
        "written": redis.written,
        "lost": metrics.RECORDS_LOST._value.get(),
    }
    print(json.dumps(seen))


asyncio.run(main(), loop_factory=SkippingLoop)
