"""The tables of the READMEs are what was measured, and what was measured keeps to the budgets."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
from html import unescape
from pathlib import Path

import growth
import peers
import plots
import pytest
import rules
import table
from budgets import BUDGETS
from repository import LABS, ROOT

GROWTH = json.loads((table.RESULTS / "growth.json").read_text())


def ratio(lab: str, key: str) -> float:
    """How many times better than the naive version: less is better, but for what is counted by the second."""
    naive, ours = (table.numbers(lab, version)[key] for version in ("naive", "ours"))
    return ours / naive if key.endswith("_per_second") else naive / ours


def test_every_lab_has_a_budget() -> None:
    assert sorted(table.FILES) == sorted(BUDGETS["at_least"]) == LABS


@pytest.mark.parametrize("page", table.pages(), ids=lambda page: str(page.relative_to(ROOT)))
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


@pytest.mark.parametrize("page", table.pages(), ids=lambda page: str(page.relative_to(ROOT)))
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


@pytest.mark.parametrize("path", sorted(table.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_result_says_where_and_when_it_was_measured(path: Path) -> None:
    said = json.loads(path.read_text())
    assert all(said[key] for key in ("machine", "engine", "date", "commit"))


def test_every_peer_is_in_one_table_with_what_its_file_says() -> None:
    measured = json.loads((table.RESULTS / "peers.json").read_text())
    files = {path.stem for path in peers.PEERS.glob("*.py")}
    listed = [name for lab in table.PEERS for name in measured[lab] if name in files]
    assert sorted(listed) == sorted(files)
    assert measured["about"] == {name: peers.head(name) for name in files}, "run 'make bench-peers'"


def test_all_who_clean_a_file_find_the_same_rows() -> None:
    measured = json.loads((table.RESULTS / "peers.json").read_text())["batch-job"]
    found = {
        tuple(sorted((key, n) for key, n in row.items() if key.startswith("clean_")))
        for row in measured.values()
    }
    assert len(found) == 1
    assert len(found.pop()) == len(rules.BUCKETS)


def test_growth_was_measured_from_end_to_end() -> None:
    assert [point["rows"] for point in GROWTH["rows"]] == list(growth.ROWS)
    assert [point["connections"] for point in GROWTH["connections"]] == list(growth.CONNECTIONS)
    assert [int(rate) for rate in GROWTH["backlog"]] == list(growth.PER_SECOND)
    assert any(list(GROWTH["backlog"].values())[-1])  # seen to wait at all


@pytest.mark.parametrize("name", plots.PLOTS)
def test_a_plot_was_drawn_from_what_was_measured(name: str) -> None:
    picture = (ROOT / f"docs/growth-{name}.svg").read_text()
    assert plots.numbers(name) in unescape(picture), "run 'make bench-peers'"
    assert f"growth-{name}.svg" in (ROOT / "docs/performance.md").read_text()


def test_a_longer_file_takes_time_in_proportion_and_no_more_memory() -> None:
    short, middle, long = GROWTH["rows"]
    budget = BUDGETS["growth"]
    assert long["peak_mib"] <= budget["memory_of_100_times_the_rows"] * short["peak_mib"]
    assert long["seconds"] <= budget["seconds_of_10_times_the_rows"] * middle["seconds"]


def test_more_connections_do_not_slow_lab_3_down() -> None:
    rates = [point["requests_per_second"] for point in GROWTH["connections"]]
    assert min(rates[1:]) >= BUDGETS["growth"]["requests_at_most_connections"] * max(rates)
    for point in GROWTH["connections"][1:]:
        assert point["p99_ms"] <= BUDGETS["growth"]["p99_times_median"] * point["p50_ms"], point


@pytest.mark.parametrize("rate", GROWTH["backlog"])
def test_the_recorder_keeps_up(rate: str) -> None:
    """All through a minute, what waits was made a moment ago, at its end as in its middle."""
    waiting = GROWTH["backlog"][rate]
    assert len(waiting) == growth.SECONDS
    assert max(waiting) <= BUDGETS["growth"]["seconds_behind"] * int(rate)
    middle, end = statistics.mean(waiting[20:40]), statistics.mean(waiting[40:])
    assert end - middle <= BUDGETS["growth"]["seconds_behind_more"] * int(rate)


def test_the_bench_refuses_a_machine_that_lacks_what_it_needs(tmp_path: Path) -> None:
    for name, says in (("wrk", ""), ("docker", "Avail\n 29G")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\nprintf '{says}'\n")
        program.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    bench = ("bash", str(ROOT / "benchmarks/bench.sh"))
    done = subprocess.run(bench, env=path, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "bench: Docker's disk has 29 GB free, not 30\n")
    assert "30 GB of Docker's disk" in done.stdout
