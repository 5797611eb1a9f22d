"""Count the flowers whose petals are longer than a threshold."""

import csv
import os

with open(os.environ.get("DATA_PATH", "/app/flowers.csv"), newline="") as file:
    lengths = [float(row["petal_length"]) for row in csv.DictReader(file)]

longer = sum(length > 2.5 for length in lengths)
print(f"{longer} of {len(lengths)} flowers have petals longer than 2.5")
