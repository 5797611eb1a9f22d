"""Count flowers, and add a line to the history."""

import datetime
import os
from pathlib import Path

results = Path("/app/results")
results.mkdir(exist_ok=True)
flowers = len(Path("/app/flowers.csv").read_text().splitlines()) - 1
line = f"{datetime.date.today()},{flowers} flowers,user {os.getuid()}"
with open(results / "history.csv", "a") as history:
    print(line, file=history)
print(f"written to {history.name}: {line}")
