"""The cleaning rules. To clean your own data, change this file: everything else follows it.

Each rule is a Narwhals expression over columns of numbers, so the same rules clean a pandas, a Polars or any other
frame that Narwhals knows: `clean(frame)` does it in one call.
"""

from __future__ import annotations

import math

import narwhals as nw
from narwhals.typing import IntoDataFrameT

# The file must have these columns, and they hold numbers. All other columns pass through unchanged.
NUMBERS = ["age", "income", "churn"]
age, income, churn = map(nw.col, NUMBERS)

# The oldest age, in years, of each age_bucket.
BUCKETS = {"18-30": 30, "31-45": 45, "46-60": 60, "61+": 80}
AGE_MIN, AGE_MAX = 18, 80

# Why a row is rejected. The first rule that it breaks is the reason that rejects.csv gives.
BROKEN = {
    "income is missing": income.is_null(),
    "income is not finite": ~income.is_finite(),
    "age is missing": age.is_null(),
    "age is not a whole number": age % 1 != 0,
    f"age is out of range {AGE_MIN}-{AGE_MAX}": ~age.is_between(AGE_MIN, AGE_MAX),
    "churn is missing": churn.is_null(),
    "churn is not 0 or 1": (churn != 0) & (churn != 1),
    "churned after 65": (age > 65) | (churn == 1),
}


def cleaned(income_min: float = 0, income_max: float = 200_000) -> list[nw.Expr]:
    """Return what becomes of a row that breaks no rule: whole numbers, income clipped, a new age_bucket."""
    bucket = (nw.when(age <= oldest).then(nw.lit(name)) for name, oldest in BUCKETS.items())
    return [
        age.cast(nw.Int64),
        income.clip(income_min, income_max),
        churn.cast(nw.Int64),
        nw.coalesce(*bucket).alias("age_bucket"),
    ]


def noted(income_min: float = 0, income_max: float = 200_000) -> dict[str, nw.Expr]:
    """Return what the summary counts among the rows that break no rule, before they are cleaned."""
    return {
        f"clipped to {income_min:g}-{income_max:g}": ~income.is_between(income_min, income_max),
    }


def charts(income_min: float = 0, income_max: float = 200_000) -> dict[str, dict[str, float]]:
    """Return what the report draws: the bars of each column, and the value up to which each of them counts."""
    incomes = [income_min + (income_max - income_min) / 20 * i for i in range(21)]
    return {
        "age": {f"below {AGE_MIN}": AGE_MIN - 1, **BUCKETS, f"above {AGE_MAX}": math.inf},
        "income": {f"to {end:,.10g}": end for end in incomes} | {"above": math.inf},
    }


def reason() -> nw.Expr:
    """Return an expression for the first rule that a row breaks, as text; null for a row that breaks none."""
    broken = (nw.when(rule).then(nw.lit(text)) for text, rule in BROKEN.items())
    return nw.coalesce(*broken).alias("reason")


def clean(
    frame: IntoDataFrameT, income_min: float = 0, income_max: float = 200_000
) -> tuple[IntoDataFrameT, IntoDataFrameT]:
    """Split a frame whose columns of NUMBERS hold numbers into (clean rows, rejects with a reason).

    Row order, other columns and the kind of frame stay.
    """
    rows = nw.from_native(frame, eager_only=True)
    fine = rows.select(reason())["reason"].is_null()
    kept = rows.filter(fine).with_columns(*cleaned(income_min, income_max))
    return kept.to_native(), rows.filter(~fine).with_columns(reason()).to_native()
