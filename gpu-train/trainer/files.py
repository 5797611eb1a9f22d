"""The folder that a run writes to: whole files only, and one run at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from trainer.errors import TrainError


@contextmanager
def replace_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of `path` once it is whole; on an error the old one stays.

    Raises TrainError where the disk is full, or the folder does not let this user write.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)  # a part that another user left can be removed, not written
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        in_the_way = error.filename2 or error.filename
        cure = f": remove {in_the_way}" if isinstance(error, PermissionError) else ""
        raise TrainError(f"{path} was not written: {error.strerror}{cure}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise TrainError(
            f"user id {os.getuid()} may not write to {folder.absolute()}: run the container as the "
            "folder's owner (HOST_UID and HOST_GID), or change the owner"
        )


@contextmanager
def only_run(folder: Path, shared: bool) -> Iterator[None]:
    """Hold `folder` in the block, so that two runs do not mix their files. `shared`: with the other machines of one run.

    The lock is on the folder itself and goes with the process, however that ends. Raises TrainError where another
    run holds it. A file system that cannot lock (a network's, some virtual machines') keeps nobody out.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise TrainError(
            f"another run is writing to {folder}/: wait for its end, or give this one a folder of its own"
        ) from None
    except OSError:
        pass
    try:
        yield
    finally:
        os.close(handle)
