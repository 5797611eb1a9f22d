"""What is printed: 80 columns, colour on a terminal only."""

from __future__ import annotations

import os
import sys
import textwrap

from learn.bench import Refused
from learn.exercise import Exercise

WIDTH = 80
GREEN, RED, BOLD = "32", "31", "1"


def paint(text: str, colour: str) -> str:
    """Colour on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\033[{colour}m{text}\033[0m"
    return text


def print_beside(name: str, text: str, width: int) -> None:
    """Print a text wrapped beside a name; ten lines at most, as a tool's output may be long."""
    lines = [
        part for line in text.splitlines() for part in textwrap.wrap(line[:400], WIDTH - width)
    ]
    for number, line in enumerate(lines[:10]):
        print((name if number == 0 else "").ljust(width) + line, flush=True)


def say(text: str) -> None:
    print_beside("", text, 2)


def print_title(exercise: Exercise) -> None:
    time = f"{exercise.minutes} min"
    print(paint(exercise.title.ljust(WIDTH - len(time)) + time, BOLD), flush=True)


def print_passed(step: str) -> None:
    print(paint("  ok  ", GREEN) + step, flush=True)


def print_refusal(refused: Refused) -> None:
    """The step that is not right yet, and the five things to know about it."""
    print(paint("  no  ", RED) + refused.step)
    for name, text in refused.lines.items():
        print_beside(f"      {name}", text, 16)
