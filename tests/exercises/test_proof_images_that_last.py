from __future__ import annotations

from pathlib import Path

import pytest
from proof import cases_of, prove


@pytest.mark.parametrize(("id", "variant"), cases_of("Images that last"))
def test_images_that_last(id: str, variant: str, engine: None, tmp_path: Path) -> None:
    prove(id, variant, tmp_path)
