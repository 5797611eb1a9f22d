"""Ask a running service for one prediction: `python src/ask.py [URL]`. Needs nothing but Python."""

from __future__ import annotations

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from typing import Any

CUSTOMER = {
    "tenure_months": 3,
    "age": 27,
    "monthly_charges": 84.5,
    "support_calls": 4,
    "usage_gb": 41.0,
    "contract": "month-to-month",
    "internet": "fiber",
    "payment": "invoice",
}


def call(url: str, body: Any = None) -> tuple[int, Any]:
    """GET, or POST `body` as JSON; return status and parsed answer, (0, reason) when there is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text.decode(errors="replace")


def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:5000"
    # What was trained a moment ago is served after the next look at the registry.
    deadline = time.monotonic() + 15
    while True:
        status, answer = call(f"{url}/predict", CUSTOMER)
        if status != 200:
            sys.exit(f"ask: {url}: {status or 'no answer'}: {answer}")
        if answer["model"]["source"] == "registry" or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
