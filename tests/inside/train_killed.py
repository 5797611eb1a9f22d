"""Trains, and dies where rename number RENAMES would be: a kill at the worst moments, each time the same one."""

import os
import signal

import train

left = int(os.environ["RENAMES"])
replace = os.replace


def replace_or_die(*args: object) -> None:
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    replace(*args)


os.replace = replace_or_die
train.main()
