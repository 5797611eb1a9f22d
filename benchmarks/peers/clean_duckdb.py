# /// script
# requires-python = ">=3.13"
# dependencies = ["duckdb==2.0.1"]
# ///
"""DuckDB, one COPY.

Not done: keeps no rejects, checks no age, counts nothing.
"""

import duckdb

duckdb.sql(
    """
    COPY (
        SELECT age, greatest(0, least(income, 200000)) AS income, churn,
            CASE WHEN age <= 30 THEN '18-30' WHEN age <= 45 THEN '31-45' WHEN age <= 60 THEN '46-60' ELSE '61+' END
            AS age_bucket
        FROM 'data/raw.csv'
        WHERE income IS NOT NULL
    ) TO 'data/clean.csv'
    """
)
