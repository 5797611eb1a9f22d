"""The batch job without Docker, on generated tables and texts."""

from __future__ import annotations

import csv
import io
import math
import re

import pytest
from cleaner import reading
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest_plugins = ["batch_job_fixtures"]


CELLS = st.sampled_from(
    ["", " ", "abc", "nan", "inf", "-inf", "45", "45.0", " 45 ", "17", "81", "45.5", "1e3", "-5",
     "300000", "0", "1", "2", 'say "hi"', "a,b", "two\nlines", "é", "20", "30"]
)  # fmt: skip
GOOD_ROWS = st.tuples(
    st.integers(18, 80).map(str), st.floats(-1e6, 1e6).map(str), st.sampled_from("01"), CELLS
).map(list)
ROWS_OF_FILE = st.lists(st.one_of(GOOD_ROWS, st.lists(CELLS, min_size=1, max_size=7)), max_size=30)


def verdict(record: list[str]) -> str | None:
    """The rules once more, in plain Python, a record at a time: why it is rejected, or None."""
    if len(record) != 4:
        return "too few fields" if len(record) < 4 else "too many fields"
    numbers = []
    for name, text in zip(("age", "income", "churn"), record, strict=False):
        try:
            numbers.append(float(text) if text.strip() else None)
        except ValueError:
            return f"{name} is not a number"
    age, income, churn = numbers
    if income is None or not math.isfinite(income):
        return "income is missing" if income is None else "income is not finite"
    if age is None:
        return "age is missing"
    if math.isnan(age) or age % 1:
        return "age is not a whole number"
    if not 18 <= age <= 80:
        return "age is out of range 18-80"
    if churn not in (0, 1):
        return "churn is missing" if churn is None else "churn is not 0 or 1"
    return None


@given(rows=ROWS_OF_FILE, size=st.sampled_from([256, 600, 1 << 20]))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_ends_in_one_of_two_files_as_plain_python_says(
    run_job, monkeypatch: pytest.MonkeyPatch, rows: list[list[str]], size: int
) -> None:
    monkeypatch.setattr(reading, "BLOCK", size)
    raw = io.StringIO()
    csv.writer(raw, lineterminator="\n").writerows([["age", "income", "churn", "note"], *rows])
    done = run_job(raw.getvalue())
    assert done.code == 0

    verdicts = [verdict(row) for row in rows]
    fine = [row for row, why in zip(rows, verdicts, strict=True) if why is None]
    clean = list(csv.reader(io.StringIO(done.clean)))[1:]
    assert [(int(c[0]), float(c[1]), c[3]) for c in clean] == [
        (int(float(r[0])), min(max(float(r[1]), 0), 200_000), r[3]) for r in fine
    ]
    assert [(int(row[0]), row[1]) for row in done.rejects] == [
        (number, why) for number, why in enumerate(verdicts, 1) if why
    ]
    for number, _, *text in done.rejects:
        row = rows[int(number) - 1]
        # What is too much is in the last column, as a line of CSV.
        last = next(csv.reader(io.StringIO(text[3], newline=""))) if len(row) > 4 else [text[3]]
        assert [*text[:3], *last] == row + [""] * (4 - len(row))

    twice = list(csv.reader(io.StringIO(run_job(done.clean).clean)))[1:]
    assert twice == clean, "cleaning twice changes something"


@given(
    body=st.text(st.sampled_from('",\n\r 0125é;a'), max_size=80),
    size=st.sampled_from([128, 1 << 20]),
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_text_at_all_stops_the_job_or_loses_a_row(
    run_job, monkeypatch: pytest.MonkeyPatch, body: str, size: int
) -> None:
    monkeypatch.setattr(reading, "BLOCK", size)
    done = run_job(f"age,income,churn\n20,5,0\n{body}")
    if done.code:
        assert "never closes" in done.err
        lines = io.StringIO(f"{body}\nlast", newline="")
        assert [*csv.reader(lines)][-1] != ["last"]
        return
    assert done.clean.splitlines()[1] == "20,5,0,18-30"
    count = dict(re.findall(r"^(rows in|clean|rejected) +(\d+)$", done.out, re.MULTILINE))
    assert int(count["rows in"]) == int(count["clean"]) + int(count["rejected"])
    assert int(count["clean"]) == len(list(csv.reader(io.StringIO(done.clean)))) - 1
    assert [int(row[0]) for row in done.rejects] == sorted({int(row[0]) for row in done.rejects})
    assert len(done.rejects) == int(count["rejected"])
