"""Reading the rows of a CSV file of any size, with Arrow."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, InvalidRow, ParseOptions, ReadOptions, open_csv
from rules import NUMBERS

from cleaner import source as files
from cleaner.source import FileError, Source, open_quote, open_source


@dataclass(frozen=True)
class Part:
    """Rows that follow each other in the file."""

    numbers: pa.Array  # of the rows in the file; 1 is the first below the header
    rows: pa.Table  # text, null where a field is blank
    ragged: pa.Array  # "too few fields" or "too many fields", null for a row that fits


def read_columns(path: Path) -> list[str]:
    """Return the names in the first line. Raises FileError unless each column has a name, and NUMBERS are there."""
    with open_source(path) as source:
        try:
            names = next(csv.reader(io.TextIOWrapper(source, "utf-8-sig", newline="")))
        except csv.Error:
            raise open_quote(path, 0) from None
    if names in ([], ["\0"]):
        raise FileError(f"{path} is empty: the first line must name the columns")
    if "\0" in names[-1]:
        raise open_quote(path, 0)
    found = ", ".join(names)
    if not all(map(str.strip, names)) or len(set(names)) < len(names):
        raise FileError(f"{path}: each column needs a name of its own; the columns are {found}")
    if missing := [name for name in NUMBERS if name not in names]:
        raise FileError(f"{path}: no column {', '.join(missing)}; the columns found are {found}")
    return names


def read_parts(source: Source, columns: list[str]) -> Iterator[Part]:
    """Yield all rows in their order. Raises FileError where the file cannot be read on.

    Arrow hands over the ragged rows of a block before the others, and may be at the next block by then.
    """
    ragged: deque[InvalidRow] = deque()

    def keep(row: InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    source.end += b"," * len(columns)  # one field too many: it arrives as a ragged row
    # With more threads, Arrow does not know the numbers of ragged rows.
    read = ReadOptions(column_names=columns, block_size=files.BLOCK, use_threads=False)
    parse = ParseOptions(
        newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=keep
    )
    types = dict.fromkeys(columns, pa.string())
    convert = ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
    first, ended = 0, False
    try:
        for batch in open_csv(source, read, parse, convert):
            if first == 0:  # the header is a row for Arrow, which has the names
                first, batch = 1, batch.slice(1)
            between = []
            while ragged and ragged[0].number - 1 <= first + batch.num_rows + len(between):
                between.append(ragged.popleft())
            if between and between[-1].text == source.end.decode():
                ended = bool(between.pop())
            part = together(first, batch, between)
            first += len(part.numbers)
            yield part
    except pa.ArrowInvalid:
        raise open_quote(source.path, first) from None
    if not ended:
        raise open_quote(source.path, first)


def together(first: int, batch: pa.RecordBatch, ragged: list[InvalidRow]) -> Part:
    """Put the ragged rows of a block between the others, where they stand in the file."""
    rows = pa.Table.from_batches([batch])
    numbers = pa.arange(first, first + rows.num_rows + len(ragged))
    why = pa.nulls(len(numbers), pa.string())
    if not ragged:
        return Part(numbers, rows, why)
    theirs = pa.array([row.number - 1 for row in ragged])
    ours = numbers.filter(pc.invert(pc.is_in(numbers, theirs)))
    order = pc.sort_indices(pa.concat_arrays([ours, theirs]))
    filled = pa.Table.from_pylist([fields(row, rows.column_names) for row in ragged], rows.schema)
    why = pa.concat_arrays([why[: len(ours)], pa.array(map(why_ragged, ragged))])
    return Part(numbers, pa.concat_tables([rows, filled]).take(order), why.take(order))


def why_ragged(row: InvalidRow) -> str:
    return f"too {'few' if row.actual_columns < row.expected_columns else 'many'} fields"


def fields(row: InvalidRow, columns: list[str]) -> dict[str, str | None]:
    """Return the fields of a ragged row; what a long one has too many stays in the last column."""
    record = next(csv.reader([row.text]))
    rest = ",".join(record[len(columns) - 1 :])
    return {
        name: field or None
        for name, field in zip_longest(columns, [*record[: len(columns) - 1], rest])
    }
