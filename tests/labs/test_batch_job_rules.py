"""The batch job without Docker: the contract, the rules on other frames, rows that break a rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import rules

pytest_plugins = ["batch_job_fixtures"]


def test_sample_gives_the_numbers_of_the_contract(run_job) -> None:
    done = run_job()
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


def test_second_run_writes_the_same_bytes_and_keeps_raw(run_job) -> None:
    first = {path.name: path.read_bytes() for path in run_job().data.iterdir()}
    second = {path.name: path.read_bytes() for path in run_job().data.iterdir()}
    assert first == second
    assert set(first) == {"raw.csv", "clean.csv", "rejects.csv", "report.html"}


def test_raw_path_that_was_set_is_not_generated(run_job) -> None:
    done = run_job(RAW_PATH="data/raw.csv")
    assert done.code == 2
    assert "data/raw.csv: no such file" in done.err
    assert list(done.data.iterdir()) == []


@pytest.mark.parametrize(
    ("age", "bucket"),
    [(18, "18-30"), (30, "18-30"), (31, "31-45"), (45, "31-45"), (46, "46-60"), (60, "46-60"),
     (61, "61+"), (80, "61+")],
)  # fmt: skip
def test_bucket_edges(run_job, age: int, bucket: str) -> None:
    assert run_job(f"age,income,churn\n{age},5,0\n").clean.splitlines()[1] == f"{age},5,0,{bucket}"


def test_income_is_clipped_to_the_range_given(run_job) -> None:
    done = run_job(
        "age,income,churn\n20,-5,0\n20,15,0\n20,99,1\n", INCOME_MIN="10", INCOME_MAX="20.5"
    )
    assert [line.split(",")[1] for line in done.clean.splitlines()[1:]] == ["10", "15", "20.5"]
    assert "clipped to 10-20.5 2" in " ".join(done.out.split())


ROWS: dict[str, list] = {
    "age": [20.0, 45.0, None, 17.0, 81.0, 45.5, 60.0, 61.0],
    "income": [1.0, math.inf, 3.0, 4.0, 5.0, 6.0, None, 999_999.0],
    "churn": [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 2.0, 1.0],
}


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_rules_give_the_same_on_pandas_and_polars(kind: type[Any]) -> None:
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


def test_a_long_row_keeps_the_quotes_that_tell_its_fields_apart(run_job) -> None:
    done = run_job('age,income,churn,note\n20,5,0,"a,b",c\n20,5,0,a,"b,c"\n')
    assert [row[-1] for row in done.rejects] == ['"a,b",c', 'a,"b,c"']


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
