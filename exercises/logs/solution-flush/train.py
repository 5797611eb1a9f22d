"""A training that takes ten minutes; /tmp/checkpoint holds the number of the last epoch."""

import os
import time
from pathlib import Path

RUN = os.environ.get("RUN", "no-name")

for epoch in range(1, 1201):
    print(f"{RUN}: epoch {epoch}, loss {1 / epoch:.4f}", flush=True)
    Path("/tmp/checkpoint").write_text(str(epoch))
    time.sleep(0.5)
