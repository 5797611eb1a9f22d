"""Writing CSV text with Arrow, and replacing several files at once."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from cleaner.source import CURE, FileError


def csv_text(columns: list[pa.Array]) -> memoryview:
    """Return columns as lines of CSV. Only a field that needs quotes gets them; Arrow's own writer quotes all text."""
    lines = pc.binary_join_element_wise(*map(csv_fields, columns), ",")
    lines = one_array(pc.binary_join_element_wise(lines, "\n", ""))
    size = pc.sum(pc.binary_length(lines)).as_py() or 0
    return memoryview(lines.buffers()[2] or b"")[:size]


def csv_line(fields: list[str]) -> memoryview:
    return csv_text([pa.array([field]) for field in fields])


def csv_fields(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    text = one_array(column.cast(pa.string()))
    data = bytes(text.buffers()[2] or b"")
    if any(special in data for special in (b'"', b",", b"\n", b"\r")):
        quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
        text = pc.if_else(pc.match_substring_regex(text, '[",\r\n]'), quoted, text)
    return text.fill_null("")


def one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


@contextmanager
def replace_files(*targets: Path) -> Iterator[list[IO[bytes]]]:
    """Open new files that take the places of all targets once all are whole; on an error the old ones stay.

    The old files go before the first new one comes: whenever the process is killed, what is there is of one run.
    Raises FileError where a target cannot be written.
    """
    parts: list[IO[bytes]] = []
    try:
        for target in targets:
            parts.append(open_part(target))
        yield parts
        for part in parts:
            part.flush()
            os.fsync(part.fileno())
        # A polite stop comes before what follows, or after it.
        signals = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        for target in targets:
            target.unlink(missing_ok=True)
        for target in targets:
            os.replace(parts[0].name, target)
            # From here on the name is that of a next run's part, and not ours to remove.
            parts.pop(0).close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    finally:
        for part in parts:
            Path(part.name).unlink(missing_ok=True)
            with suppress(OSError):  # a full disk fails a second time here
                part.close()


def open_part(target: Path) -> IO[bytes]:
    """Open the file beside `target` that is to take its place. Its name is fixed, so that a next run takes over."""
    if target.is_dir():
        raise FileError(f"{target} is a directory: give a file to write")
    if is_mounted(target):
        raise FileError(f"{target} is mounted by itself and cannot be replaced: mount its folder")
    part = target.with_name(f".{target.name}.part")
    busy = FileError(f"{target} is being written by another run: wait for its end")
    try:
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
        why = f"{target} is not writable: there is no folder {target.parent}"
        raise FileError(f"{why}, mount one") from None
    except OSError as error:
        why = f"{target} is not writable by uid {os.getuid()} ({error.strerror})"
        raise FileError(f"{why}: {CURE}") from None
    return file


def is_mounted(path: Path) -> bool:
    mounts = Path("/proc/self/mountinfo")  # on Linux, so in every container
    return mounts.exists() and str(path.resolve()) in (
        line.split()[4] for line in mounts.read_text().splitlines()
    )
