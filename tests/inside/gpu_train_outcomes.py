"""Train with each case's environment (the argument: JSON by name); print exit code, standard error, files as JSON.

All cases in one interpreter: importing PyTorch is the slow part.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

import gpu_train_arrays
import train


def outcome(env: dict[str, str]) -> tuple[int, str, list[str]]:
    said, kept = io.StringIO(), dict(os.environ)
    os.environ.update(env)
    try:
        with contextlib.redirect_stderr(said):
            code = train.main()
    finally:
        os.environ.clear()
        os.environ.update(kept)
    return code, said.getvalue(), sorted(os.listdir("outputs"))


if __name__ == "__main__":
    gpu_train_arrays.write_all(Path("/tmp"))
    print(json.dumps({name: outcome(env) for name, env in json.loads(sys.argv[1]).items()}))
