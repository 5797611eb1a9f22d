"""Opening a CSV file, plain or gzipped: what Arrow reads of it, and what is said when it cannot be read."""

import codecs
import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

CURE = 'run the container as the owner of the folder, --user "$(id -u):$(id -g)"'
BLOCK = 1 << 20  # bytes that are read at a time
LONGEST = 8 << 20  # bytes of the longest line

csv.field_size_limit(LONGEST)  # Python's own limit is 128 KiB


class FileError(Exception):
    """A file that cannot be read or written as it should. The text is one line: which, why and what to do."""


@contextmanager
def open_source(path: Path) -> Iterator["Source"]:
    """Open a CSV file. Raises FileError that names it when it cannot be read, also later, while it is read."""
    try:
        disk = path.open("rb")
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise FileError(f"{path} is a directory: give a CSV file") from None
    except PermissionError:
        raise FileError(f"{path} is not readable by uid {os.getuid()}: {CURE}") from None
    with disk:
        yield Source(path, disk)


class Source(io.RawIOBase):
    """The bytes of a CSV file, checked to be UTF-8 without NUL, and after them a last line of our own, `end`.

    When that line does not arrive as a row of its own, a quote before it was never closed.
    """

    end = b"\0"

    def __init__(self, path: Path, disk: io.BufferedReader) -> None:
        self.path, self.disk = path, disk
        zipped = disk.peek(2)[:2] == b"\x1f\x8b"
        self.file = gzip.GzipFile(fileobj=disk) if zipped else disk
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.position, self.line, self.last = 0, 1, b"\n"

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return a block and the rest of a long line; at the end of the file, `end`, and then nothing."""
        try:
            block = self.file.read(BLOCK)
            while b"\n" not in block and len(block) < LONGEST and (more := self.file.read(BLOCK)):
                block += more
            # Arrow drops the line feed of a CRLF that two blocks share, also inside quotes.
            if block.endswith(b"\r") and self.file.peek(1)[:1] == b"\n":
                block += self.file.read(1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileError(f"{self.path}: the gzip data is damaged ({error})") from None
        self.check(block)
        if not block and self.last:
            block, self.last = b"\n"[: self.last != b"\n"] + self.end + b"\n", b""
        else:
            self.last = block[-1:]
        return block

    def check(self, block: bytes) -> None:
        """Raise FileError, with the place, for what is not UTF-8. Zero bytes are in UTF-16, and one is in our `end`."""
        try:
            self.decoder.decode(block, final=not block)
            if b"\0" in block:
                raise UnicodeDecodeError("utf-8", block, block.index(b"\0"), 0, "a zero byte")
        except UnicodeDecodeError as error:
            # What was decoded may begin with bytes of the block before.
            at = error.start + len(block) - len(error.object)
            line = self.line + block[: max(at, 0)].count(b"\n")
            where = f"byte 0x{error.object[error.start]:02x} at position {self.position + at}, line {line}"
            raise FileError(
                f"{self.path} is not UTF-8 text: {where}; save the file as UTF-8"
            ) from None
        self.position, self.line = self.position + len(block), self.line + block.count(b"\n")


def open_quote(path: Path, first: int) -> FileError:
    """Find the row, `first` or a later one, that does not end, as Python's csv module reads the file."""
    number = -1  # of the last row that has ended; the header is row 0
    with open_source(path) as source, suppress(csv.Error):  # a field may be longer than the limit
        text = io.TextIOWrapper(source, "utf-8", newline="")
        for row in csv.reader(iter(partial(text.readline, LONGEST), "")):
            too_long = sum(map(len, row)) > BLOCK
            if "\0" in "".join(row) or (too_long and number + 1 >= first):
                break
            number += 1
    where = f"row {number + 1}" if number >= 0 else "the header"
    return FileError(
        f"{path}: {where} has a quote that never closes, or is longer than {BLOCK >> 20} MiB"
    )
