"""The sample that the job cleans when there is nothing else: 100 rows, 5 of them without an income."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from files import replacing


def write_sample(path: Path) -> None:
    """Write 100 rows of age (years), income (per year) and churn (0 or 1); the same ones every time."""
    import numpy as np  # here alone: it takes a tenth of a second to load

    rng = np.random.default_rng(42)
    age = rng.integers(18, 70, 100)
    income = rng.normal(50_000, 15_000, 100)
    churn = (age > 50).astype(int)
    blank = np.zeros(100, dtype=bool)
    blank[rng.choice(100, 5, replace=False)] = True
    frame = pl.DataFrame({"age": age, "income": income, "churn": churn})
    frame = frame.with_columns(income=pl.when(pl.Series(~blank)).then("income"))
    with replacing(path) as (file,):
        frame.write_csv(file)
