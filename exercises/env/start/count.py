"""Count the flowers whose petals are longer than a threshold."""

import csv

with open("/app/flowers.csv", newline="") as file:
    lengths = [float(row["petal_length"]) for row in csv.DictReader(file)]

longer = sum(length > 2.5 for length in lengths)
print(f"{longer} of {len(lengths)} flowers have petals longer than 2.5")
