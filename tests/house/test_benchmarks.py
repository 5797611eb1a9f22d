"""The README's table is what was measured, and what was measured keeps to the budgets."""

from __future__ import annotations

import pytest
import table
from budgets import BUDGETS
from repository import LABS, ROOT


def ratio(lab: str, key: str) -> float:
    """How many times better than the naive version: less is better, but for what is counted by the second."""
    naive, ours = (table.numbers(lab, version)[key] for version in ("naive", "ours"))
    return ours / naive if key.endswith("_per_second") else naive / ours


def test_every_lab_has_a_budget() -> None:
    assert sorted(table.FILES) == sorted(BUDGETS["at_least"]) == LABS


def test_table_in_the_readme_is_what_was_measured() -> None:
    text = (ROOT / "README.md").read_text()
    assert table.replaced(text) == text, "run 'python benchmarks/table.py'"


def test_a_changed_number_changes_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = table.numbers
    monkeypatch.setattr(
        table, "numbers", lambda lab, version: measured(lab, version) | {"image_mb": 99_999.0}
    )
    assert "99,999 → 99,999" in table.render()


@pytest.mark.parametrize(
    ("name", "key"), [(lab, key) for lab in LABS for key in BUDGETS["at_least"].get(lab, {})]
)
def test_measured_ratio_keeps_to_its_budget(name: str, key: str) -> None:
    wanted = BUDGETS["at_least"][name][key]
    assert ratio(name, key) >= wanted, f"{name} {key}: {ratio(name, key):.2f} times, not {wanted}"


def test_rebuild_after_a_code_change_takes_under_two_seconds(lab: str) -> None:
    assert table.numbers(lab, "ours")["after_code_s"] < 2
