"""The batch job without Docker: its rules, its reading of CSV in every shape, its answers to bad input."""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import rules
from clean_data import main
from cleaner import source
from cleaner.writing import replace_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@dataclass
class Run:
    """What one run of the job has said and written."""

    code: int
    out: str
    err: str
    data: Path

    @property
    def clean(self) -> str:
        return (self.data / "clean.csv").read_text()

    @property
    def rejects(self) -> list[list[str]]:
        with (self.data / "rejects.csv").open(newline="") as file:
            return list(csv.reader(file))[1:]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)
    yield tmp_path / "data"
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def run(data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """`run(raw text or bytes, INCOME_MAX="5")` runs the job on a file with that content."""

    def start(raw: str | bytes | None = None, **env: str) -> Run:
        if raw is not None:
            (data / "raw.csv").write_bytes(raw.encode() if isinstance(raw, str) else raw)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        code = main()
        said = capfd.readouterr()
        return Run(code, said.out, said.err, data)

    return start


# The contract ------------------------------------------------------------------------------------


def test_sample_gives_the_numbers_of_the_contract(run) -> None:
    done = run()
    assert done.code == 0
    raw = pd.read_csv(done.data / "raw.csv")
    clean = pd.read_csv(done.data / "clean.csv")
    assert (len(raw), len(clean), len(done.rejects)) == (100, 95, 5)

    rng = np.random.default_rng(42)
    expected = pd.DataFrame(
        {"age": rng.integers(18, 70, 100), "income": rng.normal(50_000, 15_000, 100)}
    )
    expected["churn"] = (expected.age > 50).astype(int)
    expected.loc[rng.choice(100, 5, replace=False), "income"] = np.nan
    pd.testing.assert_frame_equal(raw, expected, check_exact=True)

    naive = expected.dropna(subset=["income"]).reset_index(drop=True)
    naive["age_bucket"] = pd.cut(
        naive.age, [17, 30, 45, 60, 80], labels=["18-30", "31-45", "46-60", "61+"]
    ).astype(clean.age_bucket.dtype)
    pd.testing.assert_frame_equal(clean, naive, check_exact=True)
    assert clean.dtypes.astype(str).to_dict() == {
        "age": "int64", "income": "float64", "churn": "int64", "age_bucket": "str"
    }  # fmt: skip
    assert [row[:2] for row in done.rejects] == [
        [str(number), "income is missing"] for number in (1, 35, 55, 81, 89)
    ]
    assert "rows in 100 clean 95 rejected 5 income is missing 5" in " ".join(done.out.split())


def test_second_run_writes_the_same_bytes_and_keeps_raw(run) -> None:
    first = {path.name: path.read_bytes() for path in run().data.iterdir()}
    second = {path.name: path.read_bytes() for path in run().data.iterdir()}
    assert first == second
    assert set(first) == {"raw.csv", "clean.csv", "rejects.csv", "report.html"}


def test_raw_path_that_was_set_is_not_generated(run) -> None:
    done = run(RAW_PATH="data/raw.csv")
    assert done.code == 2
    assert "data/raw.csv: no such file" in done.err
    assert list(done.data.iterdir()) == []


@pytest.mark.parametrize(
    ("age", "bucket"),
    [(18, "18-30"), (30, "18-30"), (31, "31-45"), (45, "31-45"), (46, "46-60"), (60, "46-60"),
     (61, "61+"), (80, "61+")],
)  # fmt: skip
def test_bucket_edges(run, age: int, bucket: str) -> None:
    assert run(f"age,income,churn\n{age},5,0\n").clean.splitlines()[1] == f"{age},5,0,{bucket}"


def test_income_is_clipped_to_the_range_given(run) -> None:
    done = run("age,income,churn\n20,-5,0\n20,15,0\n20,99,1\n", INCOME_MIN="10", INCOME_MAX="20.5")
    assert [line.split(",")[1] for line in done.clean.splitlines()[1:]] == ["10", "15", "20.5"]
    assert "clipped to 10-20.5 2" in " ".join(done.out.split())


# The rules on other frames -----------------------------------------------------------------------

ROWS = {
    "age": [20.0, 45.0, None, 17.0, 81.0, 45.5, 60.0, 61.0],
    "income": [1.0, math.inf, 3.0, 4.0, 5.0, 6.0, None, 999_999.0],
    "churn": [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 2.0, 1.0],
}


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_rules_give_the_same_on_pandas_and_polars(kind: type) -> None:
    clean, rejects = rules.clean(kind({**ROWS, "note": list("abcdefgh")}))
    assert isinstance(clean, kind)
    assert clean["age"].to_list() == [20, 61]
    assert clean["income"].to_list() == [1, 200_000]
    assert clean["note"].to_list() == ["a", "h"]
    assert clean["age_bucket"].to_list() == ["18-30", "61+"]
    assert rejects["reason"].to_list() == [
        "income is not finite",
        "age is missing",
        "age is out of range 18-80",
        "age is out of range 18-80",
        "age is not a whole number",
        "income is missing",
    ]


# Bad rows never stop the job ---------------------------------------------------------------------


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
def test_bad_row_is_rejected_as_it_stood(run, row: str, reason: str, quoted: bool) -> None:
    good = '30,"7",1' if quoted else "30,7,1"
    done = run(f"age,income,churn\n{good}\n{row}\n{good}\n")
    assert done.code == 0
    assert done.clean == "age,income,churn,age_bucket\n" + 2 * "30,7,1,18-30\n"
    ((number, why, *text),) = done.rejects
    assert (number, why) == ("2", reason)
    assert ",".join(text).rstrip(",") == row.rstrip(",")


def test_short_and_long_row_in_one_block_do_not_make_up_for_each_other(run) -> None:
    done = run("age,income,churn,note\n20,5,0,\n20,5,0\n20,5,0,a,\n20,5,0,a\n")
    assert [row[:2] for row in done.rejects] == [["2", "too few fields"], ["3", "too many fields"]]
    assert len(done.clean.splitlines()) == 3


@pytest.mark.parametrize("row", [" 45 ,5,0", "45.0,5,0", "45,5,0.0", '"45","5","0"'])
def test_number_in_another_spelling_is_understood(run, row: str) -> None:
    assert run(f"age,income,churn\n{row}\n20,6,1\n").clean.splitlines()[1:] == [
        "45,5,0,31-45",
        "20,6,1,18-30",
    ]


# CSV in every shape ------------------------------------------------------------------------------

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
def test_same_table_in_another_wrapping(run, raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (source.BLOCK, 48):
        monkeypatch.setattr(source, "BLOCK", size)
        done = run(raw)
        assert list(csv.reader(io.StringIO(done.clean))) == [
            ["age", "income", "churn", "note", "age_bucket"],
            ["20", "5", "0", "a, b", "18-30"],
            ["40", "6", "1", 'say "hi"', "31-45"],
            ["50", "7", "0", "é", "46-60"],
        ]
        (reject,) = done.rejects
        assert reject[:-1] == ["2", "income is not a number", "30", "x", "1"]
        assert reject[-1].splitlines() == ["two", "lines"]


def test_columns_may_stand_in_any_order_and_others_pass_through(run) -> None:
    done = run("id,churn,note,income,age\n007,1,,5,20\n008,0, x ,6,70\n")
    assert done.clean.splitlines() == [
        "id,churn,note,income,age,age_bucket",
        "007,1,,5,20,18-30",
        "008,0, x ,6,70,61+",
    ]


def test_header_only_gives_header_only(run) -> None:
    done = run("age,income,churn\n")
    assert done.code == 0
    assert done.clean == "age,income,churn,age_bucket\n"
    assert done.rejects == []


def test_stray_quotes_cost_no_row(run) -> None:
    rows = '20,5,0,7" pipe\n20,5,0,"7" pipe\n20,5,0,"ab"c\n'
    done = run(f"age,income,churn,note\n{rows * 3}")
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
    run, monkeypatch: pytest.MonkeyPatch, raw: str, where: str
) -> None:
    for size in (source.BLOCK, 128):
        monkeypatch.setattr(source, "BLOCK", size)
        done = run(raw)
        assert done.code == 2
        assert done.err.startswith(f"error: data/raw.csv: {where} has a quote that never closes")
        assert done.err.count("\n") == 1
        assert [path.name for path in done.data.iterdir()] == ["raw.csv"]


def test_report_loads_nothing_and_escapes_what_it_shows(run) -> None:
    raw = '"<b>",age,income,churn\n1,20,5,0\n2,20,,0\n'
    (Path("data") / "<i>.csv").write_text(raw)
    html = (run(RAW_PATH="data/<i>.csv").data / "report.html").read_text()
    assert "&lt;i&gt;.csv" in html
    assert "<i>.csv" not in html
    assert "income is missing" in html
    assert not any(word in html for word in ("http:", "https:", "src=", "<link", "@import", "url("))


# Bad input: one line, exit code 2, outputs untouched ---------------------------------------------

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
def test_bad_input_is_one_clear_line_and_changes_nothing(run, raw, env: dict, says: str) -> None:
    for name in ("clean.csv", "rejects.csv", "report.html"):
        Path("data", name).write_text("from before")
    done = run(raw, **env)
    assert done.code == 2
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    assert says in line
    for name in ("clean.csv", "rejects.csv", "report.html"):
        assert Path("data", name).read_text() == "from before"
    assert not list(done.data.glob(".*"))


def test_second_run_at_the_same_time_is_told_to_wait(run, data: Path) -> None:
    with replace_files(data / "clean.csv") as (file,):
        done = run(GOOD)
        file.write(b"the first run's")
    assert done.code == 2
    assert "is being written by another run" in done.err
    assert done.clean == "the first run's"


def test_leftovers_of_a_killed_run_are_taken_over(run, data: Path) -> None:
    (data / ".clean.csv.part").write_text("half a ro")
    assert run(GOOD).clean == "age,income,churn,age_bucket\n20,5,0,18-30\n"
    assert not list(data.glob(".*"))


# Properties --------------------------------------------------------------------------------------

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
    run, monkeypatch: pytest.MonkeyPatch, rows: list[list[str]], size: int
) -> None:
    monkeypatch.setattr(source, "BLOCK", size)
    raw = io.StringIO()
    csv.writer(raw, lineterminator="\n").writerows([["age", "income", "churn", "note"], *rows])
    done = run(raw.getvalue())
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
        assert text == [*row[:3], ",".join(row[3:])] + [""] * (3 - len(row)) or len(row) < 4

    once = done.clean
    assert run(once).clean == once, "cleaning twice changes something"


@given(
    body=st.text(st.sampled_from('",\n\r 0125é;a'), max_size=80),
    size=st.sampled_from([128, 1 << 20]),
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_text_at_all_stops_the_job_or_loses_a_row(
    run, monkeypatch: pytest.MonkeyPatch, body: str, size: int
) -> None:
    monkeypatch.setattr(source, "BLOCK", size)
    done = run(f"age,income,churn\n20,5,0\n{body}")
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
