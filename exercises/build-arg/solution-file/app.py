"""Say which version of the model this is."""

from pathlib import Path

print("price-model", Path("VERSION").read_text().strip())
