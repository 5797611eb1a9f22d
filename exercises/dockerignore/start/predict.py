"""Tell which flower a petal of 1.4 by 0.2 centimetres is of."""

import json
from math import dist
from pathlib import Path

MODEL = Path(__file__).with_name("model.json")

means = json.loads(MODEL.read_text())
print(min(means, key=lambda name: dist(means[name], (1.4, 0.2))))
