"""Ask a running stack from outside, print what it said and a table of checks; exit code 1 when one fails.

    python src/smoke.py [URL of the service] [URL of MLflow]

Needs nothing but Python, and changes nothing.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
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

# What was trained a moment ago is served after the service's next look at the registry.
PATIENCE_SECONDS = 15

Check = tuple[str, Callable[[], bool]]


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


def ask(app: str) -> Any:
    """Return the answer for one customer, with a model of the registry if one comes within the patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        status, answer = call(f"{app}/predict", CUSTOMER)
        if status != 200 or answer["model"]["source"] == "registry" or time.monotonic() > deadline:
            return answer
        time.sleep(0.5)


def checks(app: str, mlflow: str) -> Iterator[Check]:
    """Yield each check as its name and what must be true."""

    def get(path: str) -> Any:
        return call(f"{app}{path}")[1]

    def predict(query: str = "", **changed: object) -> tuple[int, Any]:
        return call(f"{app}/predict{query}", {**CUSTOMER, **changed})

    def names() -> set[str]:
        return {model["model"] for model in get("/models")["models"]}

    def two() -> list[Any]:
        return call(f"{app}/predict", [CUSTOMER, CUSTOMER])[1]["predictions"]

    yield "mlapp is alive", lambda: get("/health") == {"status": "ok"}
    yield "mlapp is ready", lambda: get("/ready")["status"] == "ready"
    yield "mlflow is alive", lambda: call(f"{mlflow}/health") == (200, "OK")
    yield "mlflow's page loads", lambda: "<title>MLflow</title>" in str(call(f"{mlflow}/")[1])
    yield "no trouble with the registry", lambda: get("/models")["registry"]["problem"] is None
    yield "champion, v1 and v2 are served", lambda: names() >= {"champion", "v1", "v2"}
    yield "the champion comes from it", lambda: predict()[1]["model"]["source"] == "registry"
    yield "v1 answers", lambda: predict("?model=v1")[1]["model"]["version"] == "v1"
    yield "v2 answers", lambda: predict("?model=v2")[1]["model"]["version"] == "v2"
    yield "a probability is between 0 and 1", lambda: 0 <= predict()[1]["probability"] <= 1
    yield "two rows get two answers", lambda: len(two()) == 2
    yield "an unknown model is a 404", lambda: predict("?model=v9")[0] == 404
    yield "an unknown category is a 422", lambda: predict(contract="weekly")[0] == 422
    yield "text for a number is a 422", lambda: predict(age="old")[0] == 422


def main() -> None:
    defaults = ["http://127.0.0.1:5000", "http://127.0.0.1:5001"]
    app, mlflow = [*sys.argv[1:], *defaults[len(sys.argv) - 1 :]]
    print(json.dumps(ask(app)))
    failed = 0
    for name, holds in checks(app, mlflow):
        try:
            good = holds()
        except (LookupError, TypeError):  # an answer of another shape
            good = False
        failed += not good
        print(f"{name:32} {'ok' if good else 'FAILED'}")
    print(f"{failed} failed" if failed else "all checks passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
