from __future__ import annotations

from pathlib import Path

import pytest
from proof import cases_of, prove


@pytest.mark.parametrize(("id", "variant"), cases_of("In production"))
def test_in_production(id: str, variant: str, engine: None, tmp_path: Path) -> None:
    prove(id, variant, tmp_path)
