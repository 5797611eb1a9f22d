"""Writing CSV text with Arrow, and replacing several files at once."""

import fcntl
import io
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
from pyarrow.csv import WriteOptions, write_csv

from cleaner.reading import CURE, FileError

STOPS = (signal.SIGTERM, signal.SIGINT)


def csv_text(table: pa.Table) -> bytes:
    """Return rows as lines of CSV, without quotes if no field needs them. Arrow quotes either no text or all of it."""
    text = io.BytesIO()
    try:
        write_csv(table, text, WriteOptions(include_header=False, quoting_style="none"))
    except pa.ArrowInvalid:
        text = io.BytesIO()
        write_csv(table, text, WriteOptions(include_header=False, quoting_style="needed"))
    return text.getvalue()


def csv_line(fields: list[str]) -> bytes:
    return csv_text(pa.table([[field] for field in fields], fields))


@contextmanager
def replace_files(*targets: Path) -> Iterator[list[IO[bytes]]]:
    """Open new files that take the places of all targets once all are whole; on an error the old ones stay.

    The old files go before the first new one comes: whenever the process is killed, what is there is of one run.
    Raises FileError where a target cannot be written.
    """
    with ExitStack() as stack:
        parts = [stack.enter_context(open_part(target)) for target in targets]
        yield parts
        for part in parts:
            part.flush()
            os.fsync(part.fileno())
        # It is too late to be stopped politely: that would come between two files.
        stops = {number: signal.signal(number, signal.SIG_IGN) for number in STOPS}
        for target in targets:
            target.unlink(missing_ok=True)
        for part, target in zip(parts, targets, strict=True):
            os.replace(part.name, target)
        for number, handler in stops.items():
            signal.signal(number, handler)


@contextmanager
def open_part(target: Path) -> Iterator[IO[bytes]]:
    """Open the file beside `target` that is to take its place, and remove it on an error.

    Its name is fixed: what a killed run has left, the next one takes over.
    """
    if target.is_dir():
        raise FileError(f"{target} is a directory: give a file to write")
    if is_mounted(target):
        raise FileError(f"{target} is mounted by itself and cannot be replaced: mount its folder")
    part = target.with_name(f".{target.name}.part")
    try:
        file = part.open("ab")  # another run may be writing it: it is emptied below
    except OSError as error:
        why = f"{target} is not writable by uid {os.getuid()} ({error.strerror})"
        raise FileError(f"{why}: mount its folder, and {CURE}") from None
    with file:
        if not lock(file):
            raise FileError(f"{target} is being written by another run: wait for its end")
        file.truncate(file.seek(0))
        try:
            yield file
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def lock(file: IO[bytes]) -> bool:
    """Lock a file for as long as it is open; false where another run has it, or has renamed it meanwhile."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samefile(file.name, file.fileno())
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError:  # a file system without locks
        return True


def is_mounted(path: Path) -> bool:
    mounts = Path("/proc/self/mountinfo")  # on Linux, so in every container
    return mounts.exists() and str(path.resolve()) in (
        line.split()[4] for line in mounts.read_text().splitlines()
    )
