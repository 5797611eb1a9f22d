"""The batch job without Docker: bad rows, and CSV in every shape. No row is lost."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from cleaner import source

pytest_plugins = ["batch_job_fixtures"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("20,,0", "income is missing"),
        ("20,  ,0", "income is missing"),
        ("20,much,0", "income is not a number"),
        ("20,inf,0", "income is not finite"),
        ("20,-inf,0", "income is not finite"),
        ("20,NaN,0", "income is not finite"),
        (",5,0", "age is missing"),
        ("old,5,0", "age is not a number"),
        ("20.5,5,0", "age is not a whole number"),
        ("17,5,0", "age is out of range 18-80"),
        ("99999999,5,0", "age is out of range 18-80"),
        ("20,5,", "churn is missing"),
        ("20,5,2", "churn is not 0 or 1"),
        ("20,5,yes", "churn is not a number"),
        ("20,5", "too few fields"),
        ("", "income is missing"),
        ("20,5,0,", "too many fields"),
        ("20,5,0,,6", "too many fields"),
    ],
)
@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "beside-quotes"])
def test_bad_row_is_rejected_as_it_stood(run_job, row: str, reason: str, quoted: bool) -> None:
    good = '30,"7",1' if quoted else "30,7,1"
    done = run_job(f"age,income,churn\n{good}\n{row}\n{good}\n")
    assert done.code == 0
    assert done.clean == "age,income,churn,age_bucket\n" + 2 * "30,7,1,18-30\n"
    ((number, why, *text),) = done.rejects
    assert (number, why) == ("2", reason)
    assert ",".join(text).rstrip(",") == row.rstrip(",")


def test_short_and_long_row_in_one_block_do_not_make_up_for_each_other(run_job) -> None:
    done = run_job("age,income,churn,note\n20,5,0,\n20,5,0\n20,5,0,a,\n20,5,0,a\n")
    assert [row[:2] for row in done.rejects] == [["2", "too few fields"], ["3", "too many fields"]]
    assert len(done.clean.splitlines()) == 3


@pytest.mark.parametrize("row", [" 45 ,5,0", "45.0,5,0", "45,5,0.0", '"45","5","0"'])
def test_number_in_another_spelling_is_understood(run_job, row: str) -> None:
    assert run_job(f"age,income,churn\n{row}\n20,6,1\n").clean.splitlines()[1:] == [
        "45,5,0,31-45",
        "20,6,1,18-30",
    ]


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
    for size in (source.BLOCK, 48):
        monkeypatch.setattr(source, "BLOCK", size)
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
    for size in (source.BLOCK, 128):
        monkeypatch.setattr(source, "BLOCK", size)
        done = run_job(raw)
        assert done.code == 2
        assert done.err.startswith(f"error: data/raw.csv: {where} has a quote that never closes")
        assert done.err.count("\n") == 1
        assert [path.name for path in done.data.iterdir()] == ["raw.csv"]


def test_report_loads_nothing_and_escapes_what_it_shows(run_job) -> None:
    raw = '"<b>",age,income,churn\n1,20,5,0\n2,20,,0\n'
    (Path("data") / "<i>.csv").write_text(raw)
    html = (run_job(RAW_PATH="data/<i>.csv").data / "report.html").read_text()
    assert "&lt;i&gt;.csv" in html
    assert "<i>.csv" not in html
    assert "income is missing" in html
    assert not any(word in html for word in ("http:", "https:", "src=", "<link", "@import", "url("))
