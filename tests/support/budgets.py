"""benchmarks/budgets.toml, on every Python that the tests run on."""

from __future__ import annotations

import sys

from repository import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:  # Ubuntu 22.04
    import tomli as tomllib

BUDGETS = tomllib.loads((ROOT / "benchmarks" / "budgets.toml").read_text())
