"""Ask for a prediction, then for its record and its count: `docker compose exec api python -m production.smoke`."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

API = "http://127.0.0.1:8000"
PROMETHEUS = "http://prometheus:9090/api/v1/query?query="
QUERY = "sum by (class_name) (predictions_total)"
FLOWER = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


def ask(url: str, body: object = None) -> dict:
    """GET `url`, or POST `body` to it as JSON, with the key if there is one; return the answer's JSON."""
    request = Request(url, data=json.dumps(body).encode() if body else None)
    if key_file := os.environ.get("API_KEY_FILE"):
        request.add_header("X-API-Key", Path(key_file).read_text().strip())
    with urlopen(request, timeout=5) as answer:
        return json.load(answer)


def wait_for(read: Callable[[], list], seconds: float = 30) -> list:
    """Return what `read` gives as soon as there is some, or nothing after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := read():
                return found
        except urllib.error.URLError:
            pass  # not there yet
        time.sleep(0.2)
    return []


def newest() -> list:
    return ask(f"{API}/predictions?limit=1")["predictions"]


def counted() -> list:
    return ask(PROMETHEUS + urllib.parse.quote(QUERY))["data"]["result"]


def main() -> None:
    print("POST /predict", json.dumps(FLOWER))
    print(json.dumps(ask(f"{API}/predict", FLOWER), indent=2))
    if os.environ.get("DATABASE_URL"):
        print("GET /predictions?limit=1")
        print(json.dumps(wait_for(newest), indent=2))
    print("Prometheus:", QUERY)
    counts = {series["metric"]["class_name"]: series["value"][1] for series in wait_for(counted)}
    for name, count in sorted(counts.items()):
        print(f"  {name}: {count}")


if __name__ == "__main__":
    main()
