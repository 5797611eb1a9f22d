"""Trains, and dies where rename number RENAMES would be: a kill at the worst moments, each time the same one."""

import os
import signal
from typing import Any

import train

left = int(os.environ["RENAMES"])
replace = os.replace


def replace_or_die(*names: Any) -> None:
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    replace(*names)


os.replace = replace_or_die  # type: ignore[assignment]  # takes no keywords, and none are given
train.main()
