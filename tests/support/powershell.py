"""PowerShell blocks of a Markdown document, and what bash commands are in PowerShell.

A ```powershell block stands for the ```bash blocks above it, back to the heading or to the last such block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from readme import first_line

# In this order; CONTRIBUTING.md tells why. Everything else is the same in both shells.
SUBSTITUTIONS = [
    (r"^export HOST_UID=.*\n", ""),
    (r' --user "\$\(id -u\):\$\(id -g\)"', ""),
    (r"\$\(pwd\)|\$PWD\b", "${PWD}"),
    (r"\$\{\w+:-(.*?)\}", r"\1"),
    (r"^mkdir -p ", "mkdir -Force "),
    (
        r"^\[ -s (\S+) \] \|\| \(umask 077; od .*? > \1\)$",
        r'if (!(Test-Path \1)) { [guid]::NewGuid().ToString("N") | Set-Content -NoNewline \1 }',
    ),
    (
        r"^curl -s(?: -X POST)? (\S+) -d ('[^']*')$",
        r"Invoke-RestMethod \1 -Method Post -Body \2",
    ),
    (r"^([A-Z_]+)=(\S+) (?=\S)", r'$env:\1 = "\2"; '),
    (r" \\$", " `"),
]


@dataclass(frozen=True)
class Pair:
    """A PowerShell block, its first line in the document, and the bash commands it stands for."""

    line: int
    bash: str
    powershell: str


def read_pairs(document: Path) -> list[Pair]:
    """Return the PowerShell blocks of a Markdown document in their order."""
    pairs = []
    bash = ""
    for token in MarkdownIt().parse(document.read_text()):
        block = token.info.strip() if token.type == "fence" else token.type
        if block == "bash":
            bash += token.content
        elif block == "powershell":
            pairs.append(Pair(first_line(token), bash, token.content))
        if block in {"powershell", "heading_open"}:
            bash = ""
    return pairs


def in_powershell(bash: str) -> str:
    """Return bash commands as a document has to show them in PowerShell."""
    for pattern, replacement in SUBSTITUTIONS:
        bash = re.sub(pattern, replacement, bash, flags=re.MULTILINE)
    return bash
