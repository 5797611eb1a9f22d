"""Count the flowers whose petals are longer than a threshold."""

import csv
import os

path = os.environ.get("DATA_PATH", "/app/flowers.csv")
threshold = os.environ.get("THRESHOLD") or 2.5

with open(path, newline="") as file:
    lengths = [float(row["petal_length"]) for row in csv.DictReader(file)]

longer = sum(length > threshold for length in lengths)
print(f"{longer} of {len(lengths)} flowers have petals longer than {threshold}")
