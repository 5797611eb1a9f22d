"""Get the parts of a model, and write their checksums to model.txt.

The mirror is played by a line: what it hands out is other bytes each time.
"""

import hashlib
import os
import secrets
from pathlib import Path

cache = Path(os.environ.get("PARTS_CACHE", "/root/.cache/parts"))
cache.mkdir(parents=True, exist_ok=True)
lines = []
for name in Path("parts.txt").read_text().split():
    part = cache / name
    if not part.exists():
        print("downloading", name)
        part.write_text(f"contents of {name} {secrets.token_hex(500_000)}\n")
    lines.append(f"{name} {hashlib.sha256(part.read_bytes()).hexdigest()[:12]}\n")
Path("model.txt").write_text("".join(lines))
