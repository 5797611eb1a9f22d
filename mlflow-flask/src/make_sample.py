"""Make the sample: `python src/make_sample.py > data/raw/churn.csv` gives the committed file, byte for byte.

The customers are invented. What makes one leave is not a sum of separate effects: calls to support matter from
the fourth on, a high price drives away whoever is free to go, and a new customer is lost more easily than an old
one. A linear model finds part of that, trees find more, and the coin that decides in the end keeps both
honest: nobody can predict it.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

ROWS = 3000


def make_sample(rows: int = ROWS, seed: int = 42) -> pd.DataFrame:
    """Return `rows` customers: five numbers, three categories and the label `churn` (yes or no)."""
    random = np.random.default_rng(seed)
    contract = random.choice(["month-to-month", "one-year", "two-year"], rows, p=[0.55, 0.25, 0.2])
    internet = random.choice(["dsl", "fiber", "none"], rows, p=[0.35, 0.45, 0.2])
    payment = random.choice(["card", "direct-debit", "invoice"], rows, p=[0.4, 0.35, 0.25])
    age = random.integers(18, 85, rows)
    tenure = np.minimum(random.exponential(24, rows), 72).round().astype(int)
    base_price = np.select([internet == "fiber", internet == "dsl"], [75.0, 50.0], 22.0)
    charges = np.clip(base_price + random.normal(0, 12, rows), 15, 130).round(2)
    calls = random.poisson(1.6, rows)
    usage = np.where(internet == "none", 0, random.gamma(3, 45, rows)).round(1)

    free_to_go = contract == "month-to-month"
    score = (
        -2.6
        + 1.0 * free_to_go
        - 0.9 * (contract == "two-year")
        + 0.5 * (payment == "invoice")
        + 2.2 * (calls >= 4)
        + 1.8 * (free_to_go & (charges > 70))
        + 1.5 * (tenure < 6)
        - 1.2 * ((tenure > 36) & (calls < 2))
        + 1.2 * ((age < 30) & (usage < 60))
    )
    left = random.random(rows) < 1 / (1 + np.exp(-score))
    return pd.DataFrame(
        {
            "tenure_months": tenure,
            "age": age,
            "monthly_charges": charges,
            "support_calls": calls,
            "usage_gb": usage,
            "contract": contract,
            "internet": internet,
            "payment": payment,
            "churn": np.where(left, "yes", "no"),
        }
    )


if __name__ == "__main__":
    make_sample().to_csv(sys.stdout, index=False, lineterminator="\n")
