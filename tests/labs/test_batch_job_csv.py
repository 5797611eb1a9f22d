"""The batch job without Docker: CSV in every shape, and bad input: one line, exit code 2, outputs untouched."""

from __future__ import annotations

import csv
import gzip
import io
import os
from pathlib import Path

import pytest
from cleaner import reading
from cleaner.writing import replace_files

pytest_plugins = ["batch_job_fixtures"]


PLAIN = 'age,income,churn,note\n20,5,0,"a, b"\n30,x,1,"two\nlines"\n40,6,1,"say ""hi"""\n50,7,0,é\n'


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.rstrip("\n").encode(),
        gzip.compress(PLAIN.encode()),
    ],
    ids=["plain", "bom", "crlf", "no-last-newline", "gzip"],
)
def test_same_table_in_another_wrapping(
    run_job, raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (reading.BLOCK, 48):
        monkeypatch.setattr(reading, "BLOCK", size)
        done = run_job(raw)
        assert list(csv.reader(io.StringIO(done.clean))) == [
            ["age", "income", "churn", "note", "age_bucket"],
            ["20", "5", "0", "a, b", "18-30"],
            ["40", "6", "1", 'say "hi"', "31-45"],
            ["50", "7", "0", "é", "46-60"],
        ]
        (reject,) = done.rejects
        assert reject[:-1] == ["2", "income is not a number", "30", "x", "1"]
        assert reject[-1].splitlines() == ["two", "lines"]


def test_columns_may_stand_in_any_order_and_others_pass_through(run_job) -> None:
    done = run_job("id,churn,note,income,age\n007,1,,5,20\n008,0, x ,6,70\n")
    assert done.clean.splitlines() == [
        "id,churn,note,income,age,age_bucket",
        "007,1,,5,20,18-30",
        "008,0, x ,6,70,61+",
    ]


def test_columns_of_the_file_may_have_the_names_of_the_rejects(run_job) -> None:
    done = run_job("row,reason,income,age,churn\na,b,,20,1\nc,d,6,70,0\n")
    assert done.clean == "row,reason,income,age,churn,age_bucket\nc,d,6,70,0,61+\n"
    assert done.rejects == [["1", "income is missing", "a", "b", "", "20", "1"]]


def test_header_only_gives_header_only(run_job) -> None:
    done = run_job("age,income,churn\n")
    assert done.code == 0
    assert done.clean == "age,income,churn,age_bucket\n"
    assert done.rejects == []


def test_stray_quotes_cost_no_row(run_job) -> None:
    rows = '20,5,0,7" pipe\n20,5,0,"7" pipe\n20,5,0,"ab"c\n'
    done = run_job(f"age,income,churn,note\n{rows * 3}")
    assert done.rejects == []
    notes = [row[3] for row in csv.reader(io.StringIO(done.clean))][1:]
    assert notes == ['7" pipe', "7 pipe", "abc"] * 3


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ('age,"income,churn\n20,5,0\n', "the header"),
        ('age,income,churn\n20,5,"0\n20,5,0\n', "row 1"),
        ('age,income,churn\n20,5,0\n20,"5\n",0\n' + '"20,5,0\n' + "20,5,0\n" * 300, "row 3"),
        ('age,income,churn\n20,5,0\n20,5,"0', "row 2"),
    ],
)
def test_quote_that_never_closes_is_one_line_that_names_its_row(
    run_job, monkeypatch: pytest.MonkeyPatch, raw: str, where: str
) -> None:
    for size in (reading.BLOCK, 128):
        monkeypatch.setattr(reading, "BLOCK", size)
        monkeypatch.setattr(reading, "LONGEST", 8 * size)
        done = run_job(raw)
        assert done.code == 2
        assert done.err.startswith(f"error: data/raw.csv: {where} has a quote that never closes")
        assert done.err.count("\n") == 1
        assert [path.name for path in done.data.iterdir()] == ["raw.csv"]


def test_row_that_is_too_long_is_one_line(run_job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", 128)
    monkeypatch.setattr(reading, "LONGEST", 512)
    done = run_job(f"age,income,churn\n20,5,0\n20,5,{'0' * 1000}\n20,5,0\n")
    assert done.code == 2
    assert done.err.startswith("error: data/raw.csv: row 2 has a quote that never closes, or is lo")


def test_report_loads_nothing_and_escapes_what_it_shows(run_job) -> None:
    raw = '"<b>",age,income,churn\n1,20,5,0\n2,20,,0\n'
    (Path("data") / "<i>.csv").write_text(raw)
    html = (run_job(RAW_PATH="data/<i>.csv").data / "report.html").read_text()
    assert "&lt;i&gt;.csv" in html
    assert "<i>.csv" not in html
    assert "income is missing" in html
    assert "<b>0</b>clipped to 0-200000" in html
    assert not any(word in html for word in ("http:", "https:", "src=", "<link", "@import", "url("))


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
        (GOOD, {"RAW_PATH": "data"}, "data: is a directory"),
        (GOOD, {"CLEAN_PATH": "data"}, "data is a directory"),
        (GOOD, {"REPORT_PATH": "no/where.html"}, "no/where.html is not writable by uid"),
        ("", {}, "data/raw.csv is empty"),
        ("\n", {}, "data/raw.csv is empty"),
        ("age,salary,churn\n1,2,0\n", {}, "no column income; the columns found are age, salary, c"),
        ("age,income,churn,age\n1,2,0,1\n", {}, "each column needs a name of its own"),
        ("age,income,churn,\n1,2,0,\n", {}, "each column needs a name of its own"),
        (b"age,income,churn\n20,5,0\n20,\xff,0\n", {}, "byte 0xff at position 27"),
        (b"age,inc\xe9me,churn\n", {}, "byte 0xe9 at position 7"),
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


def test_second_run_at_the_same_time_is_told_to_wait(run_job, data: Path) -> None:
    with replace_files(data / "clean.csv") as (file,):
        done = run_job(GOOD)
        file.write(b"the first run's")
    assert done.code == 2
    assert "is being written by another run" in done.err
    assert done.clean == "the first run's"


def test_part_of_the_next_run_is_let_be(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the same name, and may be there as soon as this run's has taken its place."""
    part, replace = data / ".clean.csv.part", os.replace

    def replace_and_be_followed(source: str, target: Path) -> None:
        replace(source, target)
        part.write_text("the next run's")

    monkeypatch.setattr(os, "replace", replace_and_be_followed)
    with replace_files(data / "clean.csv") as (file,):
        file.write(b"this run's")
    assert (data / "clean.csv").read_text() == "this run's"
    assert part.read_text() == "the next run's"


def test_leftovers_of_a_killed_run_are_taken_over(run_job, data: Path) -> None:
    (data / ".clean.csv.part").write_text("half a ro")
    assert run_job(GOOD).clean == "age,income,churn,age_bucket\n20,5,0,18-30\n"
    assert not list(data.glob(".*"))
