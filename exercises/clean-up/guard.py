"""Stands in for `docker` while a learner's clean.sh is checked: nothing but the project's leftovers can be removed.

It passes on what only looks, and a removal when each thing that is named bears the project's label and does not run, or
when a prune is held to that label. Anything else it refuses, and notes why.

guard.py DOCKER PROJECT NOTES ARGUMENT...
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

DOCKER, PROJECT, NOTES, *ARGUMENTS = sys.argv[1:]
KINDS = ("container", "image", "volume", "network")
SHORT = {
    "ps": ("container", "ls"),
    "images": ("image", "ls"),
    "rm": ("container", "rm"),
    "rmi": ("image", "rm"),
    "inspect": ("", "inspect"),
    "version": ("", "ls"),
    "info": ("", "ls"),
}
LOOKS = ("ls", "list", "ps", "inspect", "history", "df")


def objection(arguments: list[str]) -> str:
    """Why this must not run; "" when it may."""
    first, *rest = arguments or [""]
    kind, verb = SHORT.get(first) or (first, rest.pop(0) if rest else "")
    if verb in LOOKS:
        return ""
    if (kind, verb) == ("system", "prune"):
        return "it takes the build cache as well, and that is everybody's"
    if kind in KINDS and verb == "prune":
        return (
            ""
            if f"label=project={PROJECT}" in filters(rest)
            else "it takes what belongs to everybody"
        )
    if kind in KINDS and verb in ("rm", "remove"):
        names = [word for word in rest if not word.startswith("-")]
        return next(filter(None, (not_a_leftover(kind, name) for name in names)), "")
    return "clean.sh only has to list and to remove"


def filters(words: list[str]) -> list[str]:
    """The values of --filter, written in either way."""
    after = [second for first, second in zip(words, words[1:]) if first == "--filter"]
    return after + [word.partition("=")[2] for word in words if word.startswith("--filter=")]


def not_a_leftover(kind: str, name: str) -> str:
    asked = subprocess.run([DOCKER, kind, "inspect", name], capture_output=True, check=False)
    if asked.returncode:
        return ""  # there is none: docker will say so
    found = json.loads(asked.stdout)[0]
    labels = found.get("Labels") or (found.get("Config") or {}).get("Labels") or {}
    if labels.get("project") != PROJECT:
        return f"the {kind} {found.get('Name', name).lstrip('/')} belongs to somebody else"
    if found.get("State", {}).get("Running"):
        return f"the {kind} {found['Name'].lstrip('/')} still runs"
    return ""


def main() -> int:
    why = objection(ARGUMENTS)
    if not why:
        return subprocess.run([DOCKER, *ARGUMENTS], check=False).returncode
    with Path(NOTES).open("a", encoding="utf-8") as notes:
        notes.write(f"docker {' '.join(ARGUMENTS)[:60]}: {why}\n")
    print(f"stopped by the check: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
