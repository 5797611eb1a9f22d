"""Write data/raw.csv for lab 1 with as many rows as the argument says, the same ones every time.

Runs in the naive image, which has NumPy and pandas.
"""

import sys

import numpy as np
import pandas as pd

CHUNK = 1_000_000

rows = int(sys.argv[1])
rng = np.random.default_rng(42)
with open("data/raw.csv", "w") as file:
    file.write("age,income,churn\n")
    for start in range(0, rows, CHUNK):
        n = min(CHUNK, rows - start)
        age = rng.integers(18, 70, n)
        income = rng.normal(50_000, 15_000, n)
        income[rng.random(n) < 0.05] = np.nan
        frame = pd.DataFrame({"age": age, "income": income, "churn": (age > 50).astype(int)})
        frame.to_csv(file, header=False, index=False)
