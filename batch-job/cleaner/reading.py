"""Reading the rows of a CSV file of any size, with Arrow: those that fit the columns, and those that do not."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, InvalidRow, ParseOptions, ReadOptions, open_csv
from rules import NUMBERS

from cleaner import source as files
from cleaner.source import FileError, Source, open_quote, open_source

ROWS = 50_000  # in a part


@dataclass(frozen=True)
class Part:
    """Rows that follow each other in the file. `first` is the number of the first; 1 stands below the header."""

    first: int
    rows: pa.RecordBatch  # text, null where a field is blank
    ragged: list[InvalidRow]  # rows with too few or too many fields; they stand between the others

    def numbers(self) -> pa.Array:
        """Return the number of each of `rows` in the file."""
        every = pa.arange(self.first, self.first + self.rows.num_rows + len(self.ragged))
        return every.filter(
            pc.invert(pc.is_in(every, pa.array(map(number_of, self.ragged), pa.int64())))
        )


def number_of(row: InvalidRow) -> int:
    return row.number - 1  # Arrow counts the header


def options(keep: Callable[[InvalidRow], str] = lambda row: "skip") -> dict[str, Any]:
    """Return how Arrow is to read: as Python's csv module does, but that a blank line is a row of blank fields."""
    parse = ParseOptions(
        newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=keep
    )
    # With more threads, Arrow does not know the numbers of ragged rows.
    return {
        "read_options": ReadOptions(block_size=files.BLOCK, use_threads=False),
        "parse_options": parse,
    }


def read_columns(path: Path) -> list[str]:
    """Return the names in the first line. Raises FileError unless each column has a name, and NUMBERS are there."""
    with open_source(path) as source:
        try:
            names = open_csv(source, **options()).schema.names
        except pa.ArrowInvalid:
            raise open_quote(path) from None
        if names in ([""], [source.end]):
            raise FileError(f"{path} is empty: the first line must name the columns")
    for place, name in enumerate(names, 1):
        if not name.strip():
            raise FileError(f"{path}: column {place} has no name: every column needs one")
        if names.count(name) > 1:
            raise FileError(f"{path}: two columns are named {name!r}: every name must be unique")
    if missing := [name for name in NUMBERS if name not in names]:
        raise FileError(
            f"{path}: no column {', '.join(missing)}; the columns found are {', '.join(names)}"
        )
    return names


def read_parts(source: Source, columns: list[str]) -> Iterator[Part]:
    """Yield all rows in their order. Raises FileError where the file cannot be read on.

    A thread reads. Arrow hands over its ragged rows one by one, before the others of their block.
    """
    ragged: deque[InvalidRow] = deque()
    queue: Queue = Queue(maxsize=2)
    reader = Thread(target=read_into, args=(queue, ragged, source, columns), daemon=True)
    reader.start()
    first = 1
    try:
        for item in iter(queue.get, None):
            if isinstance(item, Exception):
                raise item
            end, between = first + item.num_rows, []
            while ragged and number_of(ragged[0]) <= end:
                between.append(ragged.popleft())
                end += 1
            yield Part(first, item, between)
            first = end
    finally:
        source.stopped = source.ended = True
        while reader.is_alive():
            with suppress(Empty):
                queue.get(timeout=0.1)


def read_into(queue: Queue, ragged: deque[InvalidRow], source: Source, columns: list[str]) -> None:
    """Put the rows that fit into the queue, ROWS at most at a time, and last of all None or an exception."""
    source.end += "," * len(columns)  # one field too many: it arrives as a ragged row
    nothing = pa.RecordBatch.from_pylist([], pa.schema([(name, pa.string()) for name in columns]))
    closed = False

    def keep(row: InvalidRow) -> str:
        nonlocal closed
        if row.text == source.end:
            closed = True
        else:
            ragged.append(row)
            if len(ragged) % 1000 == 0:  # there may be no other rows for a long time
                queue.put(nothing)
        return "skip"

    as_text = ConvertOptions(
        column_types=dict.fromkeys(columns, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    try:
        for batch in open_csv(source, convert_options=as_text, **options(keep)):
            for start in range(0, batch.num_rows, ROWS):
                queue.put(batch.slice(start, ROWS))
        queue.put(nothing)  # for ragged rows at the end
        if not closed:
            raise pa.ArrowInvalid("a quote is open at the end")
    except pa.ArrowInvalid:
        # To look for the row takes a while: not when the job is being stopped.
        queue.put(None if source.stopped else open_quote(source.path))
    except Exception as error:  # noqa: BLE001 - raised again in read_parts
        queue.put(error)
    else:
        queue.put(None)
