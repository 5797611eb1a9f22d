"""Print the mean length of the petals in flowers.csv, and keep it in a cache."""

import csv
import statistics
from pathlib import Path

with open("/app/flowers.csv", newline="") as file:
    mean = statistics.mean(float(row["petal_length"]) for row in csv.DictReader(file))

cache = Path.home() / ".cache" / "mean"
cache.mkdir(parents=True, exist_ok=True)
(cache / "last.txt").write_text(f"{mean}")
print(f"mean petal length: {mean:.3f}")
