"""Opening the input, cutting it into blocks of whole records, and replacing outputs all at once."""

from __future__ import annotations

import csv
import fcntl
import gzip
import io
import os
import signal
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from settings import JobError

BLOCK = 8 << 20  # bytes: half of that is a tenth slower, twice takes 250 MB more memory
LONGEST_LINE = 16 << 20
CURE = 'run the container as the owner of the folder, --user "$(id -u):$(id -g)"'
FAR_QUOTE = 1 << 20  # a quote that stays open for longer than this is a stray one


@contextmanager
def reading(path: Path | str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open a CSV file, or a gzipped one by its first bytes: (its text as bytes, the file on the disk).

    Raises JobError that names the file, also when damage shows only later, while it is read.
    """
    with open_file(str(path)) as file:
        is_gzip = file.peek(2)[:2] == b"\x1f\x8b"
        try:
            yield (gzip.GzipFile(fileobj=file) if is_gzip else file), file
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise JobError(f"{path}: the gzip data is damaged ({error})") from None


def open_file(path: str) -> io.BufferedReader:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise JobError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise JobError(f"{path} is a directory: give a CSV file") from None
    except PermissionError:
        raise JobError(f"{path} is not readable by uid {os.getuid()}: {CURE}") from None


def read_line(file: IO[bytes]) -> bytes:
    line = file.readline(LONGEST_LINE)
    if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
        raise JobError(f"{file.name}: a line is longer than 16 MiB: is this a CSV file?")
    return line


def read_header(file: IO[bytes]) -> tuple[list[str], int]:
    """Read the first record; return the column names and how many bytes they took."""
    record = read_line(file)
    while record.count(b'"') % 2 and len(record) < FAR_QUOTE and (line := read_line(file)):
        record += line
    if not record.strip():
        raise JobError(f"{file.name} is empty: the first line must name the columns")
    try:
        names = next(csv.reader([record.decode("utf-8-sig").strip("\r\n")]))
    except UnicodeDecodeError as error:
        raise not_utf8(file.name, 0, error) from None
    return names, len(record)


def blocks(file: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield (bytes, quotes balance) for block after block; each ends where a record ends.

    A block whose quotes do not balance has a stray one: there a quote is just a character.
    """
    while block := file.read(BLOCK):
        parts = [block, read_line(file)]
        is_open = sum(part.count(b'"') for part in parts) % 2 == 1
        size = 0
        while is_open and size < FAR_QUOTE and (line := read_line(file)):
            is_open ^= line.count(b'"') % 2 == 1
            size += len(line)
            parts.append(line)
        block = b"".join(parts)
        yield (block if block.endswith(b"\n") else block + b"\n"), not is_open


def not_utf8(path: str, start: int, error: UnicodeDecodeError) -> JobError:
    """Say where a file is not UTF-8, at which byte and on which line; what was decoded began at `start`."""
    position = start + error.start
    with reading(path) as (file, _):
        line = 1
        while chunk := file.read(min(BLOCK, position - file.tell())):
            line += chunk.count(b"\n")
    return JobError(
        f"{path} is not UTF-8: byte 0x{error.object[error.start]:02x} at position {position},"
        f" line {line}; save the file as UTF-8"
    )


@contextmanager
def replacing(*targets: Path) -> Iterator[list[IO[bytes]]]:
    """Give a file to write for each target, beside it; at the end they take their places, all or none.

    Raises JobError where a target cannot be written.
    """
    files: dict[Path, IO[bytes]] = {}
    try:
        for target in targets:
            files[target] = open_part(target)
        yield list(files.values())
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
        # From here a polite stop waits until all of them are in place.
        stops = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, stops)
        for target in targets:
            part_of(target).replace(target)
            files.pop(target).close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stops)
    finally:
        for target, file in files.items():
            with suppress(OSError):  # a full disk fails a second time here
                file.close()
            part_of(target).unlink(missing_ok=True)


def part_of(target: Path) -> Path:
    # One fixed name, so that what a killed run has left is taken over by the next one.
    return target.with_name(f".{target.name}.part")


def open_part(target: Path) -> IO[bytes]:
    busy = JobError(f"{target} is being written by another run: wait for its end")
    part = part_of(target)
    try:
        if target.is_dir():
            raise JobError(f"{target} is a directory: give a file to write")
        # Appending: the file of a run that is still at work must not be emptied before its lock is seen.
        file = part.open("ab")
        with suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise busy from None
        # That run may have ended in between, and this is no longer a part, but its output.
        if not part.exists() or part.stat().st_ino != os.fstat(file.fileno()).st_ino:
            raise busy
        file.truncate(0)
    except FileNotFoundError:
        problem = f"{target} is not writable: there is no folder {target.parent}"
        raise JobError(f"{problem}, mount one") from None
    except OSError as error:
        problem = f"{target} is not writable by uid {os.getuid()} ({error.strerror})"
        raise JobError(f"{problem}: {CURE}") from None
    return file


def write_soon(file: IO[bytes], data: memoryview) -> None:
    """Write, and have the kernel start with the disk now: the last fsync then has nothing to wait for."""
    at = file.tell()
    file.write(data)
    if hasattr(os, "posix_fadvise"):  # not on macOS
        os.posix_fadvise(file.fileno(), at, len(data), os.POSIX_FADV_DONTNEED)
