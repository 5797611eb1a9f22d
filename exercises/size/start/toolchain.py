"""A compiler, played: large, and of no use once it has compiled.

python toolchain.py install                         writes 40 MB to /opt/toolchain
python toolchain.py compile weights.csv model.json  needs all of them
"""

import csv
import json
import os
import sys
from pathlib import Path

TOOLS = [Path(f"/opt/toolchain/tool{number}") for number in range(40)]

if sys.argv[1] == "install":
    TOOLS[0].parent.mkdir(parents=True)
    for tool in TOOLS:
        tool.write_bytes(os.urandom(1_000_000))
elif not all(tool.exists() for tool in TOOLS):
    sys.exit("error: the toolchain is not installed")
else:
    with open(sys.argv[2], newline="") as file:
        weights = {row["feature"]: int(row["weight"]) for row in csv.DictReader(file)}
    Path(sys.argv[3]).write_text(json.dumps(weights))
