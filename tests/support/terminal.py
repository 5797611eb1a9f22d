"""A program on a terminal of its own: what is typed reaches it as from a keyboard."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path
from threading import Thread


class Terminal:
    """Starts the command. `shown` is what the terminal shows; read it after `wait`."""

    def __init__(self, *command: str, cwd: Path, env: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self.shown = ""
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        shown = b""
        try:
            while part := os.read(self._ours, 4096):
                shown += part
        except OSError:  # how Linux says that the other end is closed
            pass
        self.shown = shown.decode()

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait(self, timeout: float) -> int:
        """Return the exit code. Raises subprocess.TimeoutExpired, and ends the program then."""
        try:
            return self._process.wait(timeout)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(timeout=10)
            os.close(self._ours)
