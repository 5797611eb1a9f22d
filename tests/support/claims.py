"""What two test processes must not use at once: default ports, the images that documents give names to.

The processes may be workers of one run or belong to two runs; files that are locked make one wait for the other.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

# The ports, and the names of containers, that the documents show.
DEFAULT_PORTS = "default ports"

_held: set[str] = set()


def images_of(*labs: str) -> list[str]:
    """What to claim before images of these labs are built under names that are not those of a test's own project.

    Whoever builds what everybody builds shares the claim; whoever changes a lab first has it alone.
    """
    return [f"images of {lab}" for lab in labs]


@contextmanager
def claim(*names: str, shared: bool = False) -> Iterator[None]:
    """Hold `names` in the block, waiting for a process that has them. What this one has already is left as it is."""
    with ExitStack() as held:
        # Everybody asks in the same order, so nobody waits for somebody who waits.
        for name in sorted(set(names) - _held):
            path = (
                Path(tempfile.gettempdir())
                / f"labs-test-{os.getuid()} {name.replace('/', ' ')}.lock"
            )
            lock = held.enter_context(open(path, "w"))
            fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            _held.add(name)
            held.callback(_held.discard, name)
        yield


@contextmanager
def held_ports(*ports: int) -> Iterator[None]:
    """Take default ports, and have the claim on them; a port that some other program has already is held as well."""
    with claim(DEFAULT_PORTS), ExitStack() as sockets:
        for port in ports:
            holder = sockets.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                holder.bind(("127.0.0.1", port))
                holder.listen()
        yield
