"""Ask the running api once, and print what it said: `docker compose exec api python smoke.py`."""

import json
import os
from pathlib import Path
from urllib.request import Request, urlopen

FLOWER = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}

print("POST /predict", json.dumps(FLOWER))
request = Request("http://127.0.0.1:8000/predict", data=json.dumps(FLOWER).encode())
if key_file := os.environ.get("API_KEY_FILE"):
    request.add_header("X-API-Key", Path(key_file).read_text().strip())
with urlopen(request, timeout=5) as answer:
    print(json.dumps(json.load(answer), indent=2))
