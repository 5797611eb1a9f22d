"""Get the model from the shop. (The shop is played by the last lines: nothing goes over a network.)"""

import hashlib
import os
import sys
from pathlib import Path

token = os.environ.get("TOKEN", "").strip()

if not token.startswith("tok_"):
    sys.exit("error: no token")
owner = hashlib.sha256(token.encode()).hexdigest()[:12]
Path("model.txt").write_text(f"model of {owner}\n")
