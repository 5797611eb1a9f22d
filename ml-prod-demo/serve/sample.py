"""Ask the running api once and show what came back: `docker compose exec api python sample.py`."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

API = "http://127.0.0.1:8000"
PROMETHEUS = "http://prometheus:9090/api/v1/query?query="
FLOWER = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


def ask(url: str, body: object = None) -> dict:
    request = urllib.request.Request(url, data=json.dumps(body).encode() if body else None)
    if key_file := os.environ.get("API_KEY_FILE"):
        request.add_header("X-API-Key", Path(key_file).read_text().strip())
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def wait_for(read: Callable[[], list], seconds: float = 30) -> list:
    """Return what `read` gives as soon as there is some, or nothing after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = read()
        except urllib.error.URLError:
            found = []
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def newest() -> list:
    return ask(f"{API}/predictions?limit=1")["predictions"]


def counted() -> list:
    query = urllib.parse.quote("sum by (class_name) (predictions_total)")
    return ask(PROMETHEUS + query)["data"]["result"]


def main() -> None:
    print("POST /predict", json.dumps(FLOWER))
    print(json.dumps(ask(f"{API}/predict", FLOWER), indent=2))
    if os.environ.get("DATABASE_URL"):
        print("GET /predictions?limit=1")
        print(json.dumps(wait_for(newest), indent=2))
        print("Prometheus: sum by (class_name) (predictions_total)")
        for series in wait_for(counted):
            print(f"  {series['metric']['class_name']}: {series['value'][1]}")


if __name__ == "__main__":
    main()
