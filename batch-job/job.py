"""Clean a CSV file of any size: raw.csv in; clean.csv, rejects.csv and report.html out."""

from __future__ import annotations

import csv
import io
import logging
import os
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO

import polars as pl
import report
from block import (
    AGE_EDGES,
    BINS,
    NUMBERS,
    REASON,
    ROW,
    Cleaned,
    Table,
    add,
    clean_block,
    clean_columns,
)
from files import blocks, not_utf8, read_header, reading, replacing, write_soon
from sample import write_sample
from settings import JobError, Settings, read_settings
from tqdm import tqdm

log = logging.getLogger("batch-job")

SECONDS_BETWEEN_LINES = 5


@dataclass
class Summary:
    """What a run has counted; `incomes` and `ages` as in `block.Cleaned`."""

    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    incomes: list[list[int]] = field(default_factory=lambda: [[0] * (BINS + 2)] * 2)
    ages: list[list[int]] = field(default_factory=lambda: [[0] * (len(AGE_EDGES) + 1)] * 2)

    def add(self, done: Cleaned) -> None:
        self.rows += done.rows
        self.reasons.update(dict(done.rejects[REASON].value_counts().iter_rows()))
        self.incomes = [*map(add, self.incomes, done.incomes)]
        self.ages = [*map(add, self.ages, done.ages)]

    def ranked(self) -> dict[str, int]:
        """The reasons, the most frequent first."""
        return dict(sorted(self.reasons.items(), key=lambda item: (-item[1], item[0])))

    @property
    def clipped(self) -> int:
        """How many clean rows had an income out of the range."""
        return self.incomes[1][0] + self.incomes[1][-1]


def check_columns(name: str, columns: list[str]) -> None:
    """Raise JobError unless every column has a name of its own and those with rules are there."""
    for place, column in enumerate(columns, 1):
        if not column.strip():
            raise JobError(f"{name}: column {place} has no name: every column needs one")
        if columns.count(column) > 1:
            raise JobError(f"{name}: two columns are named {column!r}: every name must be unique")
    if missing := [column for column in NUMBERS if column not in columns]:
        raise JobError(
            f"{name}: no column {', '.join(missing)}; the columns found are {', '.join(columns)}"
        )


def csv_line(fields: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(fields)
    return line.getvalue().encode()


def in_order(text: IO[bytes], start: int, table: Table) -> Iterator[Cleaned]:
    """Clean the blocks of a file side by side and yield them in the order of the file.

    Polars keeps to the container's cpu limit, so its number of threads is the one to go by. One more
    block than that is under way, so that no core waits while the main thread writes.
    """
    workers = pl.thread_pool_size() + 1
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque()

        def next_done() -> Cleaned:
            position, future = waiting.popleft()
            try:
                return future.result()
            except UnicodeDecodeError as error:
                raise not_utf8(text.name, position, error) from None

        try:
            for raw, quoted in blocks(text):
                waiting.append((start, pool.submit(clean_block, raw, quoted, table)))
                start += len(raw)
                if len(waiting) > workers:
                    yield next_done()
            while waiting:
                yield next_done()
        finally:
            pool.shutdown(cancel_futures=True)


def write_rows(
    done_blocks: Iterator[Cleaned], disk: IO[bytes], clean: IO[bytes], rejects: IO[bytes]
) -> Summary:
    """Write what the blocks come to, and say how far it is: a bar on a terminal, else a line now and then."""
    summary = Summary()
    size = os.fstat(disk.fileno()).st_size
    logged = time.monotonic()
    # A terminal that a container gets may say that its size is 0 by 0.
    look = {"unit": "B", "unit_scale": True, "ncols": 80, "nrows": 20, "disable": None}
    with tqdm(total=size, desc="cleaning", **look) as bar:
        for done in done_blocks:
            write_soon(clean, done.clean)
            numbered = done.rejects.with_columns(pl.col(ROW) + summary.rows)
            numbered.write_csv(rejects, include_header=False)
            summary.add(done)
            bar.update(disk.tell() - bar.n)
            if bar.disable and time.monotonic() - logged > SECONDS_BETWEEN_LINES:
                logged = time.monotonic()
                log.info("cleaning: %d %%, %s rows", 100 * disk.tell() / size, f"{summary.rows:,}")
    return summary


def run(settings: Settings) -> Summary:
    """Read RAW_PATH, write the three outputs, return the counts.

    Raises JobError for whatever the user can mend; the outputs are then as they were.
    """
    if not settings.raw_was_set and not settings.raw.exists():
        write_sample(settings.raw)
        log.info("no %s yet: generated the sample", settings.raw)

    with reading(settings.raw) as (text, disk):
        columns, start = read_header(text)
        check_columns(str(settings.raw), columns)
        table = Table(columns, settings.income_min, settings.income_max)
        # Clean last: whoever waits for it finds the other two in place.
        targets = settings.report, settings.rejects, settings.clean
        with replacing(*targets) as (page, rejects, clean):
            clean.write(csv_line(clean_columns(table)))
            rejects.write(csv_line(["row", "reason", *columns]))
            summary = write_rows(in_order(text, start, table), disk, clean, rejects)
            page.write(
                report.page(
                    source=str(settings.raw),
                    rows=summary.rows,
                    reasons=summary.ranked(),
                    incomes=summary.incomes,
                    ages=summary.ages,
                    income_range=(settings.income_min, settings.income_max),
                ).encode()
            )
    return summary


def show(summary: Summary, settings: Settings) -> None:
    """Print the counts as a short table."""
    rejected = summary.reasons.total()
    lines = {
        "rows in": summary.rows,
        "clean": summary.rows - rejected,
        "rejected": rejected,
        **{f"  {reason}": count for reason, count in summary.ranked().items()},
        f"clipped to {settings.income_min:g}-{settings.income_max:g}": summary.clipped,
    }
    width = max(map(len, lines)) + 2
    for label, count in lines.items():
        print(f"{label:<{width}}{count:>13,}")
    print(f"wrote {settings.clean}, {settings.rejects}, {settings.report}")


def stop(*_: object) -> None:
    print("stopped: the outputs are as they were", file=sys.stderr)
    sys.exit(128 + signal.SIGTERM)


def main() -> int:
    signal.signal(signal.SIGTERM, stop)
    try:
        settings = read_settings(os.environ)
        logging.basicConfig(level=settings.log_level, format="%(levelname)s %(message)s")
        show(run(settings), settings)
    except (JobError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
