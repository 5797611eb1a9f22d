"""What runs beside the requests, for as long as the service does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from service import metrics

PAUSE_SECONDS = 1.0

log = logging.getLogger("api.tasks")

# By the task's name, why its last round failed. GET /ready shows it.
problems: dict[str, str] = {}


async def supervise(
    name: str, do_round: Callable[[], Awaitable[None]], wanted: Callable[[], bool] = lambda: True
) -> None:
    """Await `do_round()` again and again, while `wanted()`. One that fails is logged and counted, and the next is tried.

    A task that just raises ends, and nobody is told: asyncio keeps the error until somebody asks for it.
    """
    metrics.TASK_FAILURES.labels(name)  # 0 until there is one, and not absent
    while wanted():
        try:
            await do_round()
            if problems.pop(name, None):
                log.info("%s works again", name)
        except Exception as error:
            metrics.TASK_FAILURES.labels(name).inc()
            reason = f"{type(error).__name__}: {error}"
            if problems.get(name) != reason:
                # What is away (OSError) needs no traceback; anything else is a mistake to be found.
                trace = not isinstance(error, OSError)
                log.error("%s fails", name, extra={"reason": reason}, exc_info=trace)
            problems[name] = reason
            await asyncio.sleep(PAUSE_SECONDS)
