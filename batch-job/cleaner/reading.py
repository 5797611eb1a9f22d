"""Reading the rows of a CSV file of any size, plain or gzipped, a megabyte at a time."""

import codecs
import csv
import gzip
import io
import os
import secrets
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv
from rules import NUMBERS

CURE = 'run the container as the owner of the folder, --user "$(id -u):$(id -g)"'
BLOCK = 1 << 20  # bytes that are read at a time
ROWS = 50_000  # that are cleaned at a time
LONGEST = 8 << 20  # bytes of the longest row
# Follows the lines as one more row. Where it does not arrive as one, a quote is open.
END = secrets.token_hex()

csv.field_size_limit(sys.maxsize)  # Python's own limit is 128 KiB
pa.enable_signal_handlers(False)  # while it reads, Arrow takes Ctrl-C for itself, and may lose it

Source = io.BufferedReader | gzip.GzipFile


class FileError(Exception):
    """A file that cannot be read or written as it should. The text is one line: which, why and what to do."""


@dataclass(frozen=True)
class Part:
    """Rows that follow each other in the file."""

    first: int  # number of the first row in the file; 1 stands below the header
    rows: pa.Table  # every field as text, null where it is blank
    ragged: pa.Array  # "too few fields" or "too many fields", null for a row that fits


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a CSV file. Raises FileError that names it when it cannot be read, also later, while it is read."""
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
            if file.peek(3)[:3] == codecs.BOM_UTF8:
                file.read(3)
            yield file
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileError(f"{path}: the gzip data is damaged ({error})") from None


def read_columns(path: Path) -> list[str]:
    """Return the names in the first line. Raises FileError unless each column has a name, and NUMBERS are there."""
    with open_source(path) as file:
        text = decoded(path, file.tell(), file.read(LONGEST), final=False)
    names = next(csv.reader(io.StringIO(f"{text}\n{END}", newline="")))
    if not names:
        raise FileError(f"{path} is empty: the first line must name the columns")
    if names[-1].endswith(END):
        raise open_quote(path, 0)
    found = ", ".join(names)
    if not all(map(str.strip, names)) or len(set(names)) < len(names):
        raise FileError(f"{path}: each column needs a name of its own; the columns are {found}")
    if missing := [name for name in NUMBERS if name not in names]:
        raise FileError(f"{path}: no column {', '.join(missing)}; the columns found are {found}")
    return names


def read_parts(path: Path, file: Source, columns: list[str]) -> Iterator[Part]:
    """Yield all rows in their order. Raises FileError where the file cannot be read on."""
    first, position, data, ended = 0, file.tell(), b"", False  # the header is row 0
    while not ended:
        block = file.read(BLOCK)
        data, ended = data + block, not block
        # Whole lines; a carriage return at the very end may be the first half of a CRLF.
        end = len(data) if ended else max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
        rows, ragged = parse(decoded(path, position, data[:end]), columns)
        whole = len(rows) - 1  # rows before END, or before the one that a quote keeps open
        closed = rows.column(0)[whole].as_py() == END
        if closed:
            header = 1 if first == 0 else 0
            for start in range(header, whole + 1, ROWS):
                stop = min(start + ROWS, whole)
                yield Part(first + start, rows[start:stop], ragged[start:stop])
            first, position, data, whole = first + whole, position + end, data[end:], 0
        if len(data) > LONGEST or (ended and not closed):
            raise open_quote(path, first + whole)


def decoded(path: Path, position: int, data: bytes, final: bool = True) -> str:
    """Return text. Raises FileError, with the place, where it is not UTF-8; zero bytes are in UTF-16."""
    try:
        return codecs.utf_8_decode(data, "strict", final)[0]
    except UnicodeDecodeError as error:
        where = f"byte 0x{data[error.start]:02x} at position {position + error.start}"
        raise FileError(f"{path} is not UTF-8 text: {where}; save the file as UTF-8") from None


def open_quote(path: Path, row: int) -> FileError:
    where = f"row {row}" if row else "the header"
    why = f"has a quote that never closes, or is longer than {LONGEST >> 20} MiB"
    return FileError(f"{path}: {where} {why}")


def parse(lines: str, columns: list[str]) -> tuple[pa.Table, pa.Array]:
    """Take lines apart, END behind them: Arrow does, and where rows are ragged, Python's csv module.

    Returns the rows as text, and for each whether it has too few or too many fields.
    """
    if lines and lines[-1] not in "\r\n":
        lines += "\n"
    lines += END + "," * (len(columns) - 1) + "\n"
    data = codecs.BOM_UTF8 + lines.encode()  # Arrow drops one, which is to be ours
    text = dict.fromkeys(columns, pa.string())
    try:
        rows = read_csv(
            pa.BufferReader(data),
            ReadOptions(column_names=columns, block_size=len(data), use_threads=False),
            ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            ConvertOptions(column_types=text, null_values=[""], strings_can_be_null=True),
        )
        return rows, pa.nulls(len(rows), pa.string())
    except pa.ArrowInvalid:
        records = csv.reader(io.StringIO(lines, newline=""))
        fields = zip(*(fitted(record, len(columns)) for record in records), strict=True)
        *texts, ragged = (pa.array(column, pa.string()) for column in fields)
        blank_is_null = [pc.if_else(pc.equal(text, ""), None, text) for text in texts]
        return pa.table(blank_is_null, columns), ragged


def fitted(record: list[str], width: int) -> list[str | None]:
    """Return as many fields as there are columns, and behind them what was wrong with their number, or None."""
    if len(record) == width:
        return [*record, None]
    if not record:  # a blank line is a row of blank fields
        return [*[""] * width, None]
    if len(record) < width:
        return [*record, *[""] * (width - len(record)), "too few fields"]
    # What a long row has too many stays in the last column, with the quotes that it needs.
    rest = io.StringIO()
    csv.writer(rest).writerow(record[width - 1 :])
    return [*record[: width - 1], rest.getvalue().removesuffix("\r\n"), "too many fields"]
