"""What came of a soak, and whether it is what the lab promises."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from honest_client import HonestClient
from memory import Trend

# What is answered so shortly before an api is killed may still be in its memory, and is lost with it.
UNWRITTEN_SECONDS = 1.0
# What memory may rise at all, and for each minute: the caches of an api fill in this time, and a large batch leaves room
# that the next one takes. A line shorter than that says nothing.
RISE_MB = 15.0
RISE_MB_A_MINUTE = 1.5
SHORTEST_LINE_SECONDS = 180


@dataclass(frozen=True)
class Records:
    """What was recorded of the answered rows. The lab's own record of a row is found by the row's key."""

    sent: int
    stored: int
    lost: int
    lost_with_a_killed_api: int
    doubled: int


def records_of(client: HonestClient, stored: Counter[int], kills: list[float]) -> Records:
    """Compare what was answered with what is stored: the number of records by key.

    A question that failed may have been recorded; that is no fault, twice is. `kills` are the times of time.monotonic()
    at which a process that records was killed.
    """
    sent = lost = excused = 0
    for when, keys in client.answered:
        sent += len(keys)
        missing = sum(key not in stored for key in keys)
        if any(-UNWRITTEN_SECONDS < when - kill < UNWRITTEN_SECONDS for kill in kills):
            excused += missing
        else:
            lost += missing
    doubled = sum(count > 1 for count in stored.values())
    return Records(sent, len(stored), lost, excused, doubled)


@dataclass(frozen=True)
class Account:
    client: HonestClient
    records: Records
    memory: dict[str, Trend]
    # What went wrong with a fault itself: "database_killed: not true within 60 s".
    troubles: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """What is not as promised; nothing when all is well."""
        found = list(self.troubles)
        if failed := dict(self.client.failed):
            found.append(f"honest questions failed: {failed}")
        if self.records.lost:
            found.append(f"{self.records.lost} records are lost")
        if self.records.doubled:
            found.append(f"{self.records.doubled} records are there more than once")
        for name, trend in self.memory.items():
            allowed = RISE_MB + RISE_MB_A_MINUTE * trend.seconds / 60
            if trend.seconds >= SHORTEST_LINE_SECONDS and trend.risen_mb > allowed:
                found.append(f"the memory of {name} rose by {trend.risen_mb:.0f} MB")
        return found

    def __str__(self) -> str:
        records = self.records
        lines = {
            "questions answered": f"{len(self.client.answered):,}",
            "questions failed": f"{self.client.failed.total():,}",
            "told to come back later": f"{self.client.told_to_wait:,}",
            "slowest answer": f"{self.client.slowest_seconds:.1f} s",
            "longest silence": f"{self.client.longest_silence():.1f} s",
            "records sent": f"{records.sent:,}",
            "records stored": f"{records.stored:,}",
            "records lost": f"{records.lost:,}",
            "lost with a killed api": f"{records.lost_with_a_killed_api:,}",
            "records doubled": f"{records.doubled:,}",
        }
        for name, trend in self.memory.items():
            lines[f"memory of {name}"] = (
                f"{trend.largest_mb:.0f} MB at most, {trend.mb_per_hour:+.1f} MB/h in {trend.seconds:.0f} s"
            )
        if not self.memory:
            lines["memory"] = "too short a run to say"
        return "\n".join(f"{title:<26}{value}" for title, value in lines.items())
