"""Reading the rows of a CSV file of any size, plain or gzipped, a megabyte at a time."""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pyarrow as pa
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv
from rules import NUMBERS

CURE = 'run the container as the owner of the folder, --user "$(id -u):$(id -g)"'
BLOCK = 1 << 20  # characters that are read at a time
ROWS = 50_000  # that are cleaned at a time
LONGEST = 8 << 20  # characters of the longest row
TOO_LONG = f"has a quote that never closes, or is longer than {LONGEST >> 20} MiB"
# Follows the lines as one more row. Where it does not arrive as one, a quote is open.
END = os.urandom(32).hex()

csv.field_size_limit(1 << 30)  # Python's own limit is 128 KiB
pa.enable_signal_handlers(False)  # while it reads, Arrow takes Ctrl-C for itself, and may lose it


class FileError(Exception):
    """A file that cannot be read or written as it should. The text is one line: which, why and what to do."""


@contextmanager
def open_source(path: Path) -> Iterator[TextIO]:
    """Open a CSV file as text. Raises FileError that names it when it cannot be read, also later, while it is read."""
    try:
        disk = path.open("rb")
    except PermissionError:
        raise FileError(f"{path} is not readable by uid {os.getuid()}: {CURE}") from None
    except OSError as error:
        why = os.strerror(error.errno).lower() if error.errno else error
        raise FileError(f"{path}: {why}") from None
    with disk:
        file = gzip.GzipFile(fileobj=disk) if disk.peek(2)[:2] == b"\x1f\x8b" else disk
        try:
            yield io.TextIOWrapper(file, "utf-8-sig", newline="")
        except UnicodeDecodeError as error:  # zero bytes are in UTF-16
            position = file.tell() - len(error.object) + error.start
            where = f"byte 0x{error.object[error.start]:02x} at position {position}"
            raise FileError(f"{path} is not UTF-8 text: {where}; save the file as UTF-8") from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileError(f"{path}: the gzip data is damaged ({error})") from None


def read_columns(path: Path) -> list[str]:
    """Return the names in the first line. Raises FileError unless each column has a name, and NUMBERS are there."""
    with open_source(path) as file:
        text = file.read(LONGEST)
    names = next(csv.reader(io.StringIO(f"{text}\n{END}", newline="")))
    if not names:
        raise FileError(f"{path} is empty: the first line must name the columns")
    if names[-1].endswith(END):
        raise FileError(f"{path}: the header {TOO_LONG}")
    found = ", ".join(names)
    if not all(map(str.strip, names)) or len(set(names)) < len(names):
        raise FileError(f"{path}: each column needs a name of its own; the columns are {found}")
    if missing := [name for name in NUMBERS if name not in names]:
        raise FileError(f"{path}: no column {', '.join(missing)}; the columns found are {found}")
    return names


def read_parts(path: Path, file: TextIO, columns: list[str]) -> Iterator[pa.Table]:
    """Yield all rows in their order: number (1 is below the header), reason of a ragged one, then the columns as text."""
    first, text = 0, ""  # the header is row 0
    while block := file.read(BLOCK) + file.readline(LONGEST):  # whole lines
        if block[-1] not in "\r\n" and len(block) < BLOCK + LONGEST:
            block += "\n"  # the file ends without one
        text += block
        rows = parse(text, columns)
        whole = len(rows) - 1  # rows before END, or before the one that END is part of
        if rows.column(1)[whole].as_py() == END:
            rows = rows.add_column(0, "row", pa.arange(first, first + len(rows)))
            for start in range(0 if first else 1, whole + 1, ROWS):
                yield rows[start : min(start + ROWS, whole)]
            first, text = first + whole, ""
        elif len(text) >= LONGEST:
            raise FileError(f"{path}: row {first + whole} {TOO_LONG}")
    if text:
        raise FileError(f"{path}: row {first + whole} {TOO_LONG}")


def parse(lines: str, columns: list[str]) -> pa.Table:
    """Take lines apart, END behind them: Arrow does, and where rows are ragged, Python's csv module."""
    lines += END + "," * (len(columns) - 1) + "\n"
    data = ("\ufeff" + lines).encode()  # Arrow drops one, which is to be ours
    text = dict.fromkeys(columns, pa.string())
    try:
        rows = read_csv(
            pa.BufferReader(data),
            ReadOptions(column_names=columns, block_size=len(data), use_threads=False),
            ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            ConvertOptions(column_types=text, null_values=[""], strings_can_be_null=True),
        )
        return rows.add_column(0, "reason", pa.nulls(len(rows), pa.string()))
    except pa.ArrowInvalid:
        records = csv.reader(io.StringIO(lines, newline=""))
        fields = zip(*(fitted(record, len(columns)) for record in records), strict=True)
        return pa.table([pa.array(column, pa.string()) for column in fields], ["reason", *columns])


def fitted(record: list[str], width: int) -> list[str | None]:
    """Return what is wrong with the number of fields, or None, and as many fields as there are columns, blank as None."""
    why = None
    if len(record) > width:
        # What a long row has too many stays in the last column, with the quotes that it needs.
        rest = io.StringIO()
        csv.writer(rest).writerow(record[width - 1 :])
        extra = rest.getvalue().removesuffix("\r\n")
        why, record = "too many fields", [*record[: width - 1], extra]
    elif 0 < len(record) < width:  # a blank line is a row of blank fields
        why = "too few fields"
    return [why, *(field or None for field in record), *[None] * (width - len(record))]
