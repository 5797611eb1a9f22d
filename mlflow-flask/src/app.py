"""The prediction service: GET /health, /ready, /models and POST /predict."""

from __future__ import annotations

import json
import logging
import os
import re
import time
import uuid
from typing import Any

import gevent
from flask import Blueprint, Flask, Response, abort, current_app, g, request
from flask.typing import ResponseReturnValue
from gunicorn.http.errors import ParseException
from predict import MAX_ROWS, InvalidRows
from registry import Registry
from settings import read_settings
from werkzeug.exceptions import HTTPException

MAX_BODY_BYTES = 1_000_000
BODY_SECONDS = 10

log = logging.getLogger("app")

bp = Blueprint("churn", __name__)


def create_app() -> Flask:
    """Load the baked models, start following the registry, return the application.

    Raises SettingError for a bad environment variable, ModelError when a baked model cannot be served.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False
    registry = Registry(read_settings(os.environ))
    registry.start()
    app.extensions["registry"] = registry
    app.register_blueprint(bp)
    return app


def get_registry() -> Registry:
    return current_app.extensions["registry"]


@bp.get("/health")
def health() -> ResponseReturnValue:
    """The process answers; says nothing about models."""
    return {"status": "ok"}


@bp.get("/ready")
def ready() -> ResponseReturnValue:
    """Whether to send requests here: the registry was asked once, whatever it said."""
    registry = get_registry()
    if not registry.asked_once.is_set():
        return {"status": "starting"}, 503
    return {"status": "ready", "model": registry.models["champion"].describe()}


@bp.get("/models")
def models() -> ResponseReturnValue:
    """What each name that /predict takes stands for right now."""
    registry = get_registry()
    served = [
        {"model": name, **model.describe(), "metrics": model.metrics}
        for name, model in registry.models.items()
    ]
    return {"models": served, "registry": {"problem": registry.problem}}


@bp.post("/predict")
def predict() -> ResponseReturnValue:
    """Predict one row (an object) or up to MAX_ROWS (a list)."""
    served = get_registry().models
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


def read_json() -> Any:
    """Parse the body whatever its content type says; anything that is not JSON ends in a 400."""
    try:
        with gevent.Timeout(BODY_SECONDS):
            data = request.get_data()
    except gevent.Timeout:
        abort(408, f"the body did not come within {BODY_SECONDS} s")
    except (OSError, ParseException) as error:  # a chunk that breaks the rules of HTTP, say
        abort(400, f"the body cannot be read: {str(error)[:200]}")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        abort(400, f"the body is not JSON: {str(error)[:200]}")


@bp.app_errorhandler(InvalidRows)
def invalid_rows(error: InvalidRows) -> ResponseReturnValue:
    return {"detail": error.problems}, 422


@bp.app_errorhandler(HTTPException)
def http_error(error: HTTPException) -> ResponseReturnValue:
    """An error of Flask's own as JSON. It keeps its headers: 405 says which methods are allowed."""
    response = error.get_response()
    response.data = json.dumps({"detail": error.description})
    response.content_type = "application/json"
    return response


@bp.app_errorhandler(Exception)
def unexpected_error(error: Exception) -> ResponseReturnValue:
    log.exception("unexpected error", extra={"fields": {"request_id": g.get("request_id")}})
    return {"detail": "unexpected error; the log has it under this request id"}, 500


@bp.before_app_request
def start_request() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if re.fullmatch(r"[\w.-]{1,64}", given, re.ASCII) else uuid.uuid4().hex


@bp.after_app_request
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
