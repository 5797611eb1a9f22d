from __future__ import annotations

from pathlib import Path

import pytest
from proof import cases_of, prove


@pytest.mark.parametrize(("id", "variant"), cases_of("Processes and files"))
def test_processes_and_files(id: str, variant: str, engine: None, tmp_path: Path) -> None:
    prove(id, variant, tmp_path)
