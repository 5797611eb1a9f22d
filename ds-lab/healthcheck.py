"""Exit 0 when the Jupyter server in this container answers its status endpoint. Docker runs it every few seconds."""

import json
import sys
from http.client import HTTPConnection
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir


def status() -> int:
    """Return the HTTP status of /api/status, asked with the token that the server runs with.

    Raises OSError or ValueError when no server is there, or not yet.
    """
    # A running server notes its port and token here, whichever way the token came in.
    notes = list(Path(jupyter_runtime_dir()).glob("jpserver-*.json"))
    if not notes:
        raise OSError("no server has started here")
    newest = max(notes, key=lambda path: path.stat().st_mtime)
    server = json.loads(newest.read_text())
    connection = HTTPConnection("127.0.0.1", server["port"], timeout=4)
    connection.request("GET", "/api/status", headers={"Authorization": f"token {server['token']}"})
    return connection.getresponse().status


try:
    answer = status()
except (OSError, ValueError) as error:
    sys.exit(f"Jupyter does not answer: {error}")
if answer != 200:
    sys.exit(f"Jupyter answers with status {answer}")
