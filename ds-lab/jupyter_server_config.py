"""Settings of the Jupyter server in the container. Jupyter runs this file at every start."""

import ipaddress
import os
import sys
from pathlib import Path
from typing import NoReturn

WORKSPACE = Path("/workspace")
START_AS_OWNER = "start with HOST_UID=$(id -u) HOST_GID=$(id -g)"

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (Jupyter puts it there)


def refuse(reason: str) -> NoReturn:
    """End the server with one line on stderr and exit code 2."""
    print(f"ds-lab: {reason}", file=sys.stderr)
    sys.exit(2)


def token_from_file(path: Path) -> str:
    """Return the token without its line end. Ends the server when there is none: it would be open to all."""
    try:
        token = path.read_text().strip()
    except OSError as error:
        refuse(
            f"JUPYTER_TOKEN_FILE={path}: {error.strerror} for uid {os.getuid()}; {START_AS_OWNER}"
        )
    if not token:
        refuse(f"JUPYTER_TOKEN_FILE={path} is empty; put a token into .secrets/jupyter_token")
    return token


def is_loopback(address: str) -> bool:
    """Tell whether a port published on `address` can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


if not os.access(WORKSPACE, os.W_OK):
    refuse(f"uid {os.getuid()} cannot write to the notebooks folder; {START_AS_OWNER}")

c.ServerApp.root_dir = str(WORKSPACE)
c.ServerApp.ip = "0.0.0.0"
c.ServerApp.port = 8888
c.ServerApp.open_browser = False
# Root in here owns nothing but the caller's folder: no capabilities, a read-only disk.
c.ServerApp.allow_root = True

# Without JUPYTER_TOKEN and without a file Jupyter makes a random token and prints it.
if not os.environ.get("JUPYTER_TOKEN") and "JUPYTER_TOKEN_FILE" in os.environ:
    c.IdentityProvider.token = token_from_file(Path(os.environ["JUPYTER_TOKEN_FILE"]))

# Only 127.0.0.1 and localhost in the address bar, whatever name a foreign page finds for this machine
# (DNS rebinding). Published to a network there is no list of names to check.
c.ServerApp.allow_remote_access = not is_loopback(os.environ.get("BIND", "127.0.0.1"))

# In a GitHub Codespace the forwarded port has a name of its own, which its owner alone may open. What comes through it keeps
# that name as its host, and has localhost as its origin.
if name := os.environ.get("CODESPACE_HOST"):
    c.ServerApp.local_hostnames = ["localhost", name]
    c.ServerApp.allow_origin_pat = r"https?://localhost(:\d+)?$"

# A trash folder would land in your notebooks folder, hidden and never emptied.
c.FileContentsManager.delete_to_trash = False

# A plain shell: a login shell would reset PATH, and the usual prompt has no name for most uids.
os.environ["PS1"] = r"\w \$ "
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash", "--norc"]}

# Extensions come through requirements.in.
c.LabApp.extension_manager = "readonly"

# Where `%pip install` puts packages. Python looks into a folder on its path only if it is there when a kernel starts.
Path(os.environ["PYTHONPATH"]).mkdir(parents=True, exist_ok=True)
