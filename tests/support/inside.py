"""Programs that a test runs inside a container: the files in tests/inside/."""

from __future__ import annotations

from repository import ROOT

INSIDE = ROOT / "tests" / "inside"


def program(name: str) -> str:
    """Return the text of tests/inside/NAME, for `python -c` or `sh -c` in a container that cannot see this folder."""
    return (INSIDE / name).read_text()
