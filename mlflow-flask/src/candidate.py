"""Try a model in a process of its own, with little memory and time: what it breaks there, it breaks for nobody.

python src/candidate.py FOLDER
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

from predict import Model, ModelError

MEMORY_BYTES = 256_000_000
SECONDS = 10


def try_out(folder: Path) -> None:
    """Load the model of a folder and let it predict; raises ModelError when it cannot be served."""
    command = [sys.executable, __file__, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ModelError(f"it does not load and predict within {SECONDS} s") from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise ModelError(f"the process that tried it ended with {name}")
    if done.returncode:
        raise ModelError(done.stderr.strip().rpartition("\n")[2][:400])


def main() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    # Should the service end meanwhile, so does this.
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    # Should the container's memory end first, the kernel takes this process and not the service.
    Path("/proc/self/oom_score_adj").write_text("1000")
    try:
        Model.load(Path(sys.argv[1]))
    except ModelError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
