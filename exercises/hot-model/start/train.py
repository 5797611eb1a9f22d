"""Learns the price of a square metre, and writes it as a model."""

import csv
import json
import os
from pathlib import Path

MODEL = Path("/models/model.json")

with open("/data/flats.csv") as file:
    flats = [(float(row["square_metres"]), float(row["price"])) for row in csv.DictReader(file)]
# The least squares' answer for a line through 0.
slope = sum(area * price for area, price in flats) / sum(area**2 for area, _ in flats)

# A rename is one step: a reader sees the old model or the new one.
part = MODEL.with_suffix(".part")
part.write_text(json.dumps({"price_per_square_metre": slope}))
os.replace(part, MODEL)
print(f"a square metre costs {slope:.0f}")
