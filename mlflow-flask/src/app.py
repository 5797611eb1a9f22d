"""The prediction service: GET /health, /ready, /models and POST /predict."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from typing import Any

from flask import Flask, Response, abort, g, jsonify, request
from predict import MAX_ROWS, InvalidRows
from registry import Registry
from settings import Settings
from werkzeug.exceptions import HTTPException

MAX_BODY_BYTES = 1_000_000

log = logging.getLogger("app")


def create_app() -> Flask:
    """Load the baked models, start following the registry, return the application.

    Raises SettingError for a bad environment variable, ModelError when a baked model cannot be served.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False
    registry = Registry(Settings.from_env())
    registry.start()

    @app.get("/health")
    def health() -> Any:
        """The process answers; says nothing about models."""
        return {"status": "ok"}

    @app.get("/ready")
    def ready() -> Any:
        """Whether to send requests here: the registry was asked once, whatever it said."""
        if not registry.asked_once.is_set():
            return {"status": "starting"}, 503
        return {"status": "ready", "model": registry.models["champion"].describe()}

    @app.get("/models")
    def models() -> Any:
        """What each name that /predict takes stands for right now."""
        return {
            "models": [
                {"model": name, **model.describe(), "metrics": model.metrics}
                for name, model in registry.models.items()
            ],
            "registry": {"problem": registry.problem},
        }

    @app.post("/predict")
    def predict() -> Any:
        """Predict one row (an object) or up to MAX_ROWS (a list)."""
        served = registry.models
        name = request.args.get("model", "champion")
        if name not in served:
            abort(404, f"there is no model {name[:80]!r}; there are: {', '.join(served)}")
        model = served[name]
        g.model_version = f"{model.version} ({model.source})"
        body = read_json()
        rows = body if isinstance(body, list) else [body]
        if not 1 <= len(rows) <= MAX_ROWS:
            abort(422, f"a list holds 1 to {MAX_ROWS} rows, this one {len(rows)}")
        model.check(rows)
        answers = model.predict(rows)
        if isinstance(body, list):
            return {"predictions": answers, "model": model.describe()}
        return {**answers[0], "model": model.describe()}

    app.before_request(start_request)
    app.after_request(log_request)
    app.register_error_handler(InvalidRows, lambda error: ({"detail": error.problems}, 422))
    app.register_error_handler(HTTPException, as_json)
    app.register_error_handler(Exception, as_server_error)
    return app


def read_json() -> Any:
    """Parse the body whatever its content type says; anything that is not JSON ends in a 400."""
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        abort(400, f"the body is not JSON: {str(error)[:200]}")


def as_json(error: HTTPException) -> Response:
    # Keeps the headers of the answer: 405 says which methods are allowed.
    response = error.get_response()
    response.data = json.dumps({"detail": error.description})
    response.content_type = "application/json"
    return response


def as_server_error(error: Exception) -> tuple[Response, int]:
    log.exception("unexpected error", extra={"fields": {"request_id": g.get("request_id")}})
    return jsonify(detail="unexpected error; the log has it under this request id"), 500


def start_request() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if re.fullmatch(r"[\w.-]{1,64}", given, re.ASCII) else uuid.uuid4().hex


def log_request(response: Response) -> Response:
    """One line a request: never the body, and the route instead of the path, which anybody can choose."""
    response.headers["X-Request-ID"] = g.request_id
    fields = {
        "request_id": g.request_id,
        "route": request.url_rule.rule if request.url_rule else None,
        "method": request.method,
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.started) * 1000, 2),
        "model_version": g.get("model_version"),
    }
    log.info("request", extra={"fields": fields})
    return response
