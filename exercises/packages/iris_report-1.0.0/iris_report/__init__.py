"""Counts the flowers of each kind."""

from __future__ import annotations

from collections import Counter


def table(labels: list[str]) -> str:
    """One line for each kind: its name, and how many there are."""
    return "\n".join(f"{kind:<12} {count:>4}" for kind, count in sorted(Counter(labels).items()))
