"""Commands and expected output of a Markdown document, for running it as a reader would.

A ```bash block is a step; a ```text block right below it is what it prints, where a line of three dots stands
for any lines and three dots inside a line for any text. `<!-- not run: reason -->` right above a block leaves
it out.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")
END_OF_STEP = "@@ end of step @@"


@dataclass(frozen=True)
class Step:
    """A bash block: its first line in the document, its commands, what they print (None: not shown)."""

    line: int
    commands: str
    expected: str | None
    not_run: str | None


def read_steps(document: Path) -> list[Step]:
    """Return the bash blocks of a Markdown document in their order."""
    tokens = [
        token
        for token in MarkdownIt().parse(document.read_text())
        if token.type in {"fence", "html_block", "inline"}
    ]
    steps = []
    for number, token in enumerate(tokens):
        if token.type != "fence" or token.info.strip() != "bash":
            continue
        below = tokens[number + 1] if number + 1 < len(tokens) else None
        shown = below is not None and below.type == "fence" and below.info.strip() == "text"
        above = tokens[number - 1] if number else None
        mark = NOT_RUN.fullmatch(above.content.strip()) if above else None
        steps.append(
            Step(
                line=token.map[0] + 1,
                commands=token.content,
                expected=below.content if shown else None,
                not_run=mark.group(1) if mark else None,
            )
        )
    return steps


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
    steps: list[Step], folder: Path, env: dict[str, str], timeout: float
) -> list[tuple[Step, str]]:
    """Run the steps in one shell in `folder`; return each with what it printed.

    Raises AssertionError that names the step which failed or printed something else than shown.
    """
    script = "set -eo pipefail\n" + "".join(
        f"{step.commands}\nprintf '%s\\n' '{END_OF_STEP}'\n" for step in steps
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    outputs = done.stdout.split(END_OF_STEP + "\n")
    results = []
    for step, printed in zip(steps, outputs, strict=False):
        finished = len(results) < len(outputs) - 1
        where = f"line {step.line}:\n{step.commands}\nprinted:\n{printed}"
        assert finished, f"the command failed, {where}"
        if step.expected is not None:
            assert matches(step.expected, printed), f"expected:\n{step.expected}\n{where}"
        results.append((step, printed))
    return results
