"""Check a running stack from outside and print a table; exit code 1 when a check fails.

    python src/test_container.py [URL of the service] [URL of MLflow]

Needs nothing but Python, and changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from ask import CUSTOMER, call

Check = tuple[str, Callable[[], bool]]


def checks(app: str, mlflow: str) -> Iterator[Check]:
    """Yield each check as its name and what must be true."""

    def predict(query: str = "", **changed: object) -> tuple[int, dict]:
        return call(f"{app}/predict{query}", {**CUSTOMER, **changed})

    yield "mlapp is alive", lambda: call(f"{app}/health") == (200, {"status": "ok"})
    yield "mlapp is ready", lambda: call(f"{app}/ready")[0] == 200
    yield "mlflow is alive", lambda: call(f"{mlflow}/health") == (200, "OK")
    yield "mlflow's page loads", lambda: "<title>MLflow</title>" in str(call(f"{mlflow}/")[1])
    yield (
        "no trouble with the registry",
        lambda: call(f"{app}/models")[1]["registry"]["problem"] is None,
    )
    yield (
        "champion, v1 and v2 are served",
        lambda: (
            {model["model"] for model in call(f"{app}/models")[1]["models"]}
            == {"champion", "v1", "v2"}
        ),
    )
    yield "the champion comes from it", lambda: predict()[1]["model"]["source"] == "registry"
    yield "v1 answers", lambda: predict("?model=v1")[1]["model"]["version"] == "v1"
    yield "v2 answers", lambda: predict("?model=v2")[1]["model"]["version"] == "v2"
    yield "a probability is between 0 and 1", lambda: 0 <= predict()[1]["probability"] <= 1
    yield (
        "two rows get two answers",
        lambda: len(call(f"{app}/predict", [CUSTOMER, CUSTOMER])[1]["predictions"]) == 2,
    )
    yield "an unknown model is a 404", lambda: predict("?model=v9")[0] == 404
    yield "an unknown category is a 422", lambda: predict(contract="weekly")[0] == 422
    yield "text for a number is a 422", lambda: predict(age="old")[0] == 422


def main() -> None:
    app, mlflow = [
        *sys.argv[1:],
        *["http://127.0.0.1:5000", "http://127.0.0.1:5001"][len(sys.argv) - 1 :],
    ]
    failed = 0
    for name, holds in checks(app.rstrip("/"), mlflow.rstrip("/")):
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
