"""The cleaning rules, apart from any reading and writing: this is the file to change for your own data.

The rules are Narwhals expressions over numeric columns, so the same rules clean a pandas, a Polars or
any other frame that Narwhals knows: `clean(frame)` does it in one call.
"""

from __future__ import annotations

import narwhals as nw
from narwhals.typing import IntoDataFrameT

AGE_MIN, AGE_MAX = 18, 80
BUCKETS = nw.Enum(["18-30", "31-45", "46-60", "61+"])

age, income, churn = nw.col("age"), nw.col("income"), nw.col("churn")

# A row is rejected for the first rule that it breaks.
BROKEN = {
    "income is missing": income.is_null(),
    "income is not finite": ~income.is_finite(),
    "age is missing": age.is_null(),
    "age is not a whole number": age % 1 != 0,
    f"age is out of range {AGE_MIN}-{AGE_MAX}": ~age.is_between(AGE_MIN, AGE_MAX),
    "churn is missing": churn.is_null(),
    "churn is not 0 or 1": (churn != 0) & (churn != 1),
}


def is_fine() -> nw.Expr:
    """True for a row that breaks no rule."""
    return ~nw.any_horizontal(*BROKEN.values(), ignore_nulls=True)


def reason() -> nw.Expr:
    """The first rule that a row breaks, as text; null for a row that is fine."""
    first = nw.lit(None, nw.String)
    for text, broken in reversed(BROKEN.items()):
        first = nw.when(broken).then(nw.lit(text)).otherwise(first)
    return first.alias("reason")


def cleaned(income_min: float = 0, income_max: float = 200_000) -> list[nw.Expr]:
    """What a fine row becomes: whole numbers, income clipped to [income_min, income_max], age_bucket.

    The buckets are (17, 30], (30, 45], (45, 60] and (60, 80] years.
    """
    bucket = (
        nw.when(age <= 30)
        .then(nw.lit("18-30", BUCKETS))
        .when(age <= 45)
        .then(nw.lit("31-45", BUCKETS))
        .when(age <= 60)
        .then(nw.lit("46-60", BUCKETS))
        .otherwise(nw.lit("61+", BUCKETS))
    )
    return [
        age.cast(nw.Int64),
        income.clip(income_min, income_max),
        churn.cast(nw.Int64),
        bucket.alias("age_bucket"),
    ]


def clean(
    frame: IntoDataFrameT, income_min: float = 0, income_max: float = 200_000
) -> tuple[IntoDataFrameT, IntoDataFrameT]:
    """Split a frame with numeric columns age, income and churn into (clean rows, rejects with a reason).

    Row order, other columns and the kind of frame stay.
    """
    rows = nw.from_native(frame, eager_only=True)
    fine = rows.select(fine=is_fine())["fine"]
    kept = rows.filter(fine).with_columns(*cleaned(income_min, income_max))
    return kept.to_native(), rows.filter(~fine).with_columns(reason()).to_native()
