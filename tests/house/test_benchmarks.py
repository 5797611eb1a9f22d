"""The tables of the READMEs are what was measured, and what was measured keeps to the budgets."""

from __future__ import annotations

import re
from pathlib import Path

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


@pytest.mark.parametrize("page", table.pages(), ids=lambda page: page.parent.name)
def test_table_of_a_page_is_what_was_measured(page: Path) -> None:
    written = table.replaced(page, table.pages()[page])
    assert page.read_text() == written, "run 'python benchmarks/table.py'"


def test_every_lab_has_its_table() -> None:
    assert {page.parent.name for page in table.pages()} == {ROOT.name, "docs", *LABS}


def test_a_changed_number_changes_every_table(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = table.numbers
    monkeypatch.setattr(
        table, "numbers", lambda lab, version: measured(lab, version) | {"image_mb": 99_999.0}
    )
    of_labs = {page: text for page, text in table.pages().items() if page.parent.name != "docs"}
    assert sum("99,999" in text for text in of_labs.values()) == len(LABS) + 1
    for page, text in of_labs.items():
        assert table.replaced(page, text) != page.read_text()


# What a benchmark counts by the second, and what it weighs.
MEASURED = re.compile(r"\d (?:requests|rows|samples)/s|(?:image|peak).* \d[\d,]* Mi?B")


@pytest.mark.parametrize("page", table.pages(), ids=lambda page: page.parent.name)
def test_no_measured_number_stands_outside_its_table(page: Path) -> None:
    begin, _, rest = page.read_text().partition(table.BEGIN)
    for line in (begin + rest.partition(table.END)[2]).splitlines():
        assert not MEASURED.search(line), line


@pytest.mark.parametrize(
    ("name", "key"), [(lab, key) for lab in LABS for key in BUDGETS["at_least"].get(lab, {})]
)
def test_measured_ratio_keeps_to_its_budget(name: str, key: str) -> None:
    wanted = BUDGETS["at_least"][name][key]
    assert ratio(name, key) >= wanted, f"{name} {key}: {ratio(name, key):.2f} times, not {wanted}"


def test_rebuild_after_a_code_change_takes_under_two_seconds(lab: str) -> None:
    assert table.numbers(lab, "ours")["after_code_s"] < 2
