"""What the containers of a project hold in memory while the soak runs, and whether it grows."""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from statistics import linear_regression

from docker_cli import Container, docker

EVERY_SECONDS = 3.0
# A process fills its caches and opens its connections first; a minute more, and there is a line to see.
WARM_UP_SECONDS = 60.0
FEWEST_SAMPLES = 12

UNITS = {"B": 1e-6, "KiB": 1.024e-3, "MiB": 1.048576, "GiB": 1073.741824}
Samples = list[tuple[float, float]]  # seconds, MB


@dataclass(frozen=True)
class Trend:
    """A straight line through the samples of one life of a container, its first seconds left out."""

    seconds: float
    largest_mb: float
    mb_per_hour: float

    @property
    def risen_mb(self) -> float:
        return self.mb_per_hour * self.seconds / 3600


def trend(samples: Samples) -> Trend | None:
    """Return the line; None while there are too few samples for one. Samples are in order of time."""
    warm = [(when, mb) for when, mb in samples if when - samples[0][0] > WARM_UP_SECONDS]
    if len(warm) < FEWEST_SAMPLES:
        return None
    times, sizes = zip(*warm, strict=True)
    slope = linear_regression(times, sizes).slope
    return Trend(times[-1] - times[0], max(mb for _, mb in samples), slope * 3600)


class Memory:
    """Ask Docker every few seconds, in a thread, until the block ends."""

    def __init__(self, containers: dict[str, Container]) -> None:
        self._containers = containers
        # A container that is started again begins a new life.
        self._lives: dict[tuple[str, str], Samples] = defaultdict(list)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:  # noqa: PYI034 (Self came with Python 3.11)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def trends(self) -> dict[str, Trend]:
        """The line of each container's longest life, by its name."""
        longest: dict[str, Samples] = {}
        for (name, _started), samples in self._lives.items():
            longest[name] = max(longest.get(name, []), samples, key=len)
        lines = {name: trend(samples) for name, samples in longest.items()}
        return {name: line for name, line in lines.items() if line}

    def _watch(self) -> None:
        while not self._ending.wait(EVERY_SECONDS):
            ids = [container.id for container in self._containers.values()]
            started = shown_of("inspect", "{{.State.StartedAt}}", ids)
            used = shown_of("stats", "{{.MemUsage}}", ids)
            for name, life, usage in zip(self._containers, started, used, strict=True):
                if mb := megabytes(usage):
                    self._lives[name, life].append((time.monotonic(), mb))


def shown_of(command: str, template: str, ids: list[str]) -> list[str]:
    """A line for each container."""
    once = ["--no-stream"] if command == "stats" else []
    return docker(command, *once, "--format", template, *ids).stdout.splitlines()


def megabytes(usage: str) -> float:
    """Read "85.2MiB / 512MiB"; 0 for a container that does not run."""
    found = re.match(r"([\d.]+)(\w+) /", usage)
    return float(found[1]) * UNITS[found[2]] if found else 0.0
