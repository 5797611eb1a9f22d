"""The batch job without Docker: bad input is one line, exit code 2, and the outputs stay."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from cleaner.writing import replace_files

pytest_plugins = ["batch_job_fixtures"]

GOOD = "age,income,churn\n20,5,0\n"


@pytest.mark.parametrize(
    ("raw", "env", "says"),
    [
        (GOOD, {"INCOME_MIN": "9", "INCOME_MAX": "5"}, "INCOME_MIN=9 is not accepted"),
        (GOOD, {"INCOME_MIN": "low"}, "INCOME_MIN='low' is not accepted: give a number"),
        (GOOD, {"INCOME_MAX": "nan"}, "INCOME_MAX='nan' is not accepted"),
        (GOOD, {"INCOME_MAX": "inf"}, "INCOME_MAX='inf' is not accepted"),
        (GOOD, {"LOG_LEVEL": "loud"}, "LOG_LEVEL='LOUD' is not accepted: give one of DEBUG"),
        (GOOD, {"CLEAN_PATH": "data/raw.csv"}, "give four different files"),
        (GOOD, {"RAW_PATH": "data"}, "data is a directory"),
        (GOOD, {"CLEAN_PATH": "data"}, "data is a directory"),
        (GOOD, {"REPORT_PATH": "no/where.html"}, "there is no folder no"),
        ("", {}, "data/raw.csv is empty"),
        ("\n", {}, "data/raw.csv is empty"),
        ("age,salary,churn\n1,2,0\n", {}, "no column income; the columns found are age, salary, c"),
        ("age,income,churn,age\n1,2,0,1\n", {}, "two columns are named 'age'"),
        ("age,income,churn,\n1,2,0,\n", {}, "column 4 has no name"),
        (b"age,income,churn\n20,5,0\n20,\xff,0\n", {}, "byte 0xff at position 27, line 3"),
        (b"age,inc\xe9me,churn\n", {}, "byte 0xe9 at position 7, line 1"),
        (GOOD.encode("utf-16"), {}, "data/raw.csv is not UTF-8 text: byte 0xff at position 0"),
        # Without the time of day: it would be part of the test's name, which every worker has to find the same.
        (gzip.compress(GOOD.encode() * 99, mtime=0)[:-12], {}, "data/raw.csv: the gzip data is damaged"),
        (gzip.compress(GOOD.encode(), mtime=0)[:-8] + bytes(8), {}, "the gzip data is damaged"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line_and_changes_nothing(
    run_job, raw, env: dict, says: str
) -> None:
    for name in ("clean.csv", "rejects.csv", "report.html"):
        Path("data", name).write_text("from before")
    done = run_job(raw, **env)
    assert done.code == 2
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    assert says in line
    for name in ("clean.csv", "rejects.csv", "report.html"):
        assert Path("data", name).read_text() == "from before"
    assert not list(done.data.glob(".*"))


def test_second_run_at_the_same_time_is_told_to_wait(run_job, job_data: Path) -> None:
    with replace_files(job_data / "clean.csv") as (file,):
        done = run_job(GOOD)
        file.write(b"the first run's")
    assert done.code == 2
    assert "is being written by another run" in done.err
    assert done.clean == "the first run's"


def test_leftovers_of_a_killed_run_are_taken_over(run_job, job_data: Path) -> None:
    (job_data / ".clean.csv.part").write_text("half a ro")
    assert run_job(GOOD).clean == "age,income,churn,age_bucket\n20,5,0,18-30\n"
    assert not list(job_data.glob(".*"))
