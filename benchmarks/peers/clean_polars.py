# /// script
# requires-python = ">=3.13"
# dependencies = ["polars==2.1.0"]
# ///
"""Polars, streaming.

Not done: keeps no rejects, checks no age, counts nothing.
"""

import polars as pl

bucket = pl.col("age").cut([30, 45, 60], labels=["18-30", "31-45", "46-60", "61+"])
(
    pl.scan_csv("data/raw.csv")
    .filter(pl.col("income").is_not_null())
    .with_columns(pl.col("income").clip(0, 200_000), bucket.alias("age_bucket"))
    .sink_csv("data/clean.csv")
)
