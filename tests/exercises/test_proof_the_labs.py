from __future__ import annotations

from pathlib import Path

import pytest
from proof import cases_of, prove


@pytest.mark.parametrize(("id", "variant"), cases_of("The labs"))
def test_the_labs(id: str, variant: str, engine: None, tmp_path: Path) -> None:
    prove(id, variant, tmp_path)
