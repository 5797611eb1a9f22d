"""A client that asks steadily, does as it is told, and remembers what became of every question."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import httpx
from docker_cli import wait_until

WORKERS = 4
PAUSE_SECONDS = 0.1
TIMEOUT_SECONDS = 10
# Of 25 questions one is about many rows.
MANY_EVERY = 25
MANY = 100

# Asks about the rows with these keys, a key is used once.
Ask = Callable[[httpx.Client, range], httpx.Response]


class HonestClient:
    """Ask from some threads until the block ends. All times are those of time.monotonic()."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._next_key = 0
        self._asked = 0
        self.answered: list[tuple[float, range]] = []
        self.failed: Counter[str] = Counter()
        self.told_to_wait = 0
        self.slowest_seconds = 0.0
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]

    def __enter__(self) -> HonestClient:  # noqa: PYI034 (Self came with Python 3.11)
        self.started = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let every question that is under way come to its end."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def until_answered(self, more: int, timeout: float = 60) -> None:
        """Wait for so many further answers. Raises AssertionError when they do not come."""
        wanted = len(self.answered) + more
        wait_until(lambda: len(self.answered) >= wanted, timeout, lambda: f"{more} more answers")

    def ask(self, http: httpx.Client, rows: int) -> None:
        """Ask about some new rows, again for as long as the answer is to come back later."""
        with self._lock:
            keys = range(self._next_key, self._next_key + rows)
            self._next_key = keys.stop
        started = time.monotonic()
        while (outcome := self._asked_once(http, keys)) == "later":
            self.told_to_wait += 1
        with self._lock:
            if outcome:
                self.failed[outcome] += 1
            else:
                self.answered.append((time.monotonic(), keys))
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - started)

    def _asked_once(self, http: httpx.Client, keys: range) -> str:
        """Return why it failed, "later" after the wait that the answer asks for, or "" for a good answer."""
        try:
            answer = self._ask(http, keys)
        except httpx.TransportError as error:
            return type(error).__name__
        if answer.status_code == 503 and "Retry-After" in answer.headers:
            time.sleep(float(answer.headers["Retry-After"]))
            return "later"
        return "" if answer.status_code == 200 else str(answer.status_code)

    def _work(self) -> None:
        with httpx.Client(timeout=TIMEOUT_SECONDS) as http:
            while not self._ending.is_set():
                with self._lock:
                    self._asked += 1
                    rows = 1 if self._asked % MANY_EVERY else MANY
                self.ask(http, rows)
                time.sleep(PAUSE_SECONDS)

    def longest_silence(self) -> float:
        """Seconds between two answers, whoever got them."""
        times = sorted([self.started, *(when for when, _ in self.answered)])
        return max((b - a for a, b in pairwise(times)), default=0.0)
