"""Commands and expected output of a Markdown document, for running it as a reader would.

A ```bash block is a step; a ```text block right below it is what it prints, where a line of three dots stands
for any lines and three dots inside a line for any text. A ```diff block with title="FILE" is a step too: the reader
changes these lines of FILE. `<!-- not run: reason -->` right above a block leaves it out.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")
# The reason of the blocks that tests/scale runs, on an engine that no other test has.
IN_TEST_SCALE = "make test-scale does, on an engine of its own"
DIFF = re.compile(r'diff title="(.+)"')
END_OF_STEP = "@@ end of step @@"

# What a test that runs a document reports of it, for the end of the run.
BLOCKS_RUN = "blocks run"
BLOCKS_NOT_RUN = "blocks not run"


@dataclass(frozen=True)
class Step:
    """A block: its first line in the document, its commands, what they print (None: not shown)."""

    line: int
    commands: str
    expected: str | None
    not_run: str | None


def read_steps(document: Path) -> list[Step]:
    """Return the bash and diff blocks of a Markdown document in their order."""
    tokens = [
        token
        for token in MarkdownIt().parse(document.read_text())
        if token.type in {"fence", "html_block", "inline"}
    ]
    steps = []
    for number, token in enumerate(tokens):
        commands = commands_of(token)
        if commands is None:
            continue
        below = tokens[number + 1] if number + 1 < len(tokens) else None
        shown = below if below and (below.type, below.info.strip()) == ("fence", "text") else None
        above = tokens[number - 1].content if number else ""
        mark = NOT_RUN.fullmatch(above.strip())
        steps.append(
            Step(
                line=first_line(token),
                commands=commands,
                expected=shown.content if shown else None,
                not_run=mark.group(1) if mark else None,
            )
        )
    return steps


def commands_of(block: Token) -> str | None:
    """Return what the reader of a block does, in the shell's words; None if there is nothing to do."""
    info = block.info.strip() if block.type == "fence" else ""
    if changed := DIFF.fullmatch(info):
        # Git finds the place by the lines around it: the numbers after @@ only have to be there.
        header = f"--- a/{changed[1]}\n+++ b/{changed[1]}\n@@ -2 +2 @@\n"
        return f"git apply --recount - <<'END_OF_DIFF'\n{header}{block.content}END_OF_DIFF\n"
    return block.content if info == "bash" else None


def first_line(block: Token) -> int:
    """Return the line of the document, from 1, on which a block begins."""
    assert block.map is not None
    return block.map[0] + 1


def matches(expected: str, printed: str) -> bool:
    """Whether output is what the document shows, its dots standing for anything."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else f"{dotted(line.rstrip())}[ \\t]*\n"
        for line in expected.strip("\n").splitlines()
    )
    return re.fullmatch(pattern, printed.strip("\n") + "\n") is not None


def dotted(line: str) -> str:
    return ".*?".join(re.escape(part) for part in line.split("..."))


def run_steps(
    steps: list[Step],
    folder: Path,
    env: dict[str, str],
    timeout: float,
    identity: dict[str, Any] | None = None,
    after_each: Callable[[], object] = lambda: None,
    inside: Sequence[str] = (),
) -> None:
    """Run the steps in one shell in `folder`, calling `after_each` between them.

    `identity` holds the arguments of Popen that say who runs them, `inside` a command that says where.

    Raises AssertionError that names the step which failed or printed something else than shown.
    """
    go_on, go = os.pipe()
    script = "set -eo pipefail\n" + "".join(
        f"{step.commands}\nprintf '%s\\n' '{END_OF_STEP}'\nread -r _ <&{go_on}\n" for step in steps
    )
    shell = subprocess.Popen(
        [*inside, "bash", "-c", script],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        pass_fds=[go_on],
        **(identity or {}),
    )
    deadline = threading.Timer(timeout, os.killpg, (shell.pid, signal.SIGKILL))
    deadline.start()
    try:
        for step in steps:
            printed, finished = read_output(shell)
            late = "" if deadline.is_alive() else f" (not done within {timeout} s)"
            where = f"line {step.line}{late}:\n{step.commands}\nprinted:\n{printed}"
            assert finished, f"the command failed, {where}"
            if step.expected is not None:
                assert matches(step.expected, printed), f"expected:\n{step.expected}\n{where}"
            after_each()
            os.write(go, b"\n")
    finally:
        deadline.cancel()
        if shell.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
        os.close(go_on)
        os.close(go)


def read_output(shell: subprocess.Popen[str]) -> tuple[str, bool]:
    """Return what the shell prints in a step, and whether the step came to its end."""
    assert shell.stdout is not None
    lines: list[str] = []
    for line in shell.stdout:
        if line.endswith(END_OF_STEP + "\n"):
            return "".join(lines) + line.removesuffix(END_OF_STEP + "\n"), True
        lines.append(line)
    return "".join(lines), False
