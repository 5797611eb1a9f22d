"""Kill the second of two processes that train together, the way the kernel does when memory is short."""

import os
import signal
from pathlib import Path

for path in Path("/proc").glob("[0-9]*/environ"):
    if b"\0LOCAL_RANK=1\0" in b"\0" + path.read_bytes() + b"\0":
        os.kill(int(path.parent.name), signal.SIGKILL)
        print("killed")
