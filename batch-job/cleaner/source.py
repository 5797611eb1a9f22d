"""Opening a CSV file, plain or gzipped: what Arrow reads of it, and what is said when it cannot be read."""

import codecs
import csv
import gzip
import io
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CURE = 'run the container as the owner of the folder, --user "$(id -u):$(id -g)"'
BLOCK = 8 << 20  # bytes that Arrow takes at a time; no row may be longer

csv.field_size_limit(1 << 30)  # Python's own limit is 128 KiB


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
    """The bytes of a CSV file, checked to be UTF-8, with `end` as a last line of our own.

    When that line does not arrive as a row of its own, a quote before it was never closed.
    """

    def __init__(self, path: Path, disk: io.BufferedReader) -> None:
        self.path, self.disk = path, disk
        zipped = disk.peek(2)[:2] == b"\x1f\x8b"
        self.file = gzip.GzipFile(fileobj=disk) if zipped else disk
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.end, self.ended, self.stopped = secrets.token_hex(16), False, False
        self.position, self.line, self.rest = 0, 1, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return a block. None begins with a line feed: Arrow may take that for the end of a CRLF, and drop it."""
        self.rest += self.checked(size - len(self.rest))
        block = self.rest[:size]
        if len(block) < len(self.rest) or not self.ended:
            cut = len(block.rstrip(b"\n")) - 1
            block = block[: cut if cut > 0 else size]
        self.rest = self.rest[len(block) :]
        return block

    def checked(self, size: int) -> bytes:
        if self.ended:
            return b""
        try:
            data = self.file.read(size)
            self.ended = len(data) < size
            self.decoder.decode(data, final=self.ended)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileError(f"{self.path}: the gzip data is damaged ({error})") from None
        except UnicodeDecodeError as error:
            # What was decoded may begin with bytes of the block before.
            at = error.start - (len(error.object) - len(data))
            raise self.not_text(at, error.object[error.start], data) from None
        if b"\0" in data:  # as in UTF-16; Arrow would take rows apart at the wrong places
            raise self.not_text(data.index(b"\0"), 0, data)
        self.position, self.line = self.position + len(data), self.line + data.count(b"\n")
        if self.ended:
            last = (self.rest + data)[-1:]
            data += b"\n"[: last not in (b"", b"\n", b"\r")] + self.end.encode() + b"\n"
        return data

    def not_text(self, at: int, byte: int, data: bytes) -> FileError:
        line = self.line + data[: max(at, 0)].count(b"\n")
        where = f"byte 0x{byte:02x} at position {self.position + at}, line {line}"
        return FileError(f"{self.path} is not UTF-8 text: {where}; save the file as UTF-8")


def open_quote(path: Path) -> FileError:
    """Find the row that does not end, as Python's csv module reads the file."""
    row, size = -1, 0  # the header is row 0

    def lines(text: io.TextIOWrapper) -> Iterator[str]:
        nonlocal size
        while size < BLOCK and (line := text.readline(BLOCK)):
            size += len(line)
            yield line

    with open_source(path) as source:
        for _ in csv.reader(lines(io.TextIOWrapper(source.file, newline=""))):
            row += 1
            if size >= BLOCK:
                break
            size = 0
    where = f"row {row}" if row else "the header"
    return FileError(
        f"{path}: {where} has a quote that never closes, or is longer than {BLOCK >> 20} MiB"
    )
