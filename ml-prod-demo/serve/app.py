"""The api: routes, and what starts and stops with them. Run by `uvicorn app:create_app --factory`."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import starmap
from pathlib import Path
from time import perf_counter
from typing import Any

import logs
import metrics
import numpy as np
import schema
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse
from fastapi.routing import APIRoute
from model import Model, ModelError, ModelStore, Outcome
from msgspec.structs import astuple
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from schema import Refused
from settings import Settings, quit_with, read_settings
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

PAGE = Path(__file__).with_name("index.html")

log = logging.getLogger("api")

Endpoint = Callable[[Request], Awaitable[Response]]


class DirectRoute(APIRoute):
    """A route whose endpoint reads the request itself; FastAPI's reading would take longer than the prediction."""

    def get_route_handler(self) -> Endpoint:
        return self.endpoint


def answer(content: Any, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(schema.encode(content), code, headers, "application/json")


async def read_body(request: Request) -> bytes:
    """Return the body. Raises Refused (413) as soon as it is too long, whether its length was announced or not."""
    body = b""
    async for chunk in request.stream():
        body = body + chunk if body else chunk
        if len(body) > schema.MAX_BODY_BYTES:
            raise Refused(413, "body", f"up to {schema.MAX_BODY_BYTES} bytes are accepted")
    return body


class Service:
    """The endpoints. `recording` and `history` are there when their addresses were given."""

    def __init__(self, settings: Settings) -> None:
        self.recording = self.history = None
        # Imported where they are wanted: a third of the start would be spent on two clients without a server.
        if settings.redis_url:
            from recording import Recording

            try:
                self.recording = Recording(settings.redis_url, lambda: self.store.current.version)
            except ValueError as error:
                quit_with(f"REDIS_URL is no address of a Redis: {error}")
        if settings.database_url:
            from history import History

            try:
                self.history = History(settings.database_url, settings.database_password)
            except ValueError as error:
                quit_with(f"DATABASE_URL is no address of a Postgres: {error}")
        try:
            self.store = ModelStore(settings.model_path)
        except ModelError as error:
            quit_with(str(error))

    @asynccontextmanager
    async def running(self, app: FastAPI) -> AsyncIterator[None]:
        """From before the first request until after the last."""
        watcher = asyncio.create_task(self.store.watch())
        if self.recording:
            self.recording.start()
        if self.history:
            await self.history.open()
        yield
        watcher.cancel()
        if self.recording:
            await self.recording.stop()
        if self.history:
            await self.history.close()
        log.info("stopped", extra={"predictions": metrics.predictions_made()})

    async def page(self, request: Request) -> Response:
        return FileResponse(PAGE)

    async def health(self, request: Request) -> Response:
        """The process answers."""
        return answer({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """A model is in service. `problem` says why a newer one is not."""
        model = self.store.current
        return answer(
            {"status": "ready", "model_version": model.version, "problem": self.store.problem}
        )

    async def model(self, request: Request) -> Response:
        """The model in service."""
        return answer(self.store.current.describe())

    async def metrics(self, request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def predict(self, request: Request) -> Response:
        """Classify one flower."""
        started = perf_counter()
        iris = schema.parse_iris(await read_body(request))
        features = astuple(iris)
        model = self.store.current
        outcome = self._classify(model, features)
        name = model.classes[outcome.class_index]
        probabilities = dict(zip(model.classes, outcome.probabilities, strict=True))
        response = answer(schema.Prediction(outcome.class_index, name, probabilities, iris))
        metrics.count_predictions(name)
        self._record(model, [features], [outcome], started)
        return response

    async def predict_batch(self, request: Request) -> Response:
        """Classify up to 10,000 flowers in one call of the model."""
        started = perf_counter()
        rows = list(map(astuple, schema.parse_batch(await read_body(request))))
        model = self.store.current
        labels, probabilities = model.runtime.predict(np.array(rows, np.float32))
        labels = labels.tolist()
        # There are only as many different entries as classes: make each once.
        entries = [
            schema.encode(entry) for entry in starmap(schema.ClassOfRow, enumerate(model.classes))
        ]
        body = b'{"predictions":[' + b",".join([entries[label] for label in labels]) + b"]}"
        for label, name in enumerate(model.classes):
            metrics.count_predictions(name, labels.count(label))
        if self.recording:
            self._record(model, rows, list(map(Outcome, labels, probabilities.tolist())), started)
        return Response(body, media_type="application/json")

    async def predictions(self, request: Request) -> Response:
        """Recorded predictions, newest first."""
        query = request.query_params
        if unknown := set(query) - {"limit", "before"}:
            raise Refused(422, min(unknown), "only limit and before are accepted")
        limit = schema.parse_limit(query.get("limit"))
        before = schema.parse_before(query.get("before"))
        if not self.history:
            raise Refused(404, "path", "nothing is recorded here; the profile `full` does that")
        return answer(await self.history.newest(limit, before))

    def _classify(self, model: Model, features: tuple[float, ...]) -> Outcome:
        if not self.recording:
            return model.classify(features)
        outcome = self.recording.cache.get(model.version, features)
        if outcome is None:
            outcome = model.classify(features)
            self.recording.cache.put(model.version, features, outcome)
        return outcome

    def _record(self, model: Model, rows: list, outcomes: list[Outcome], started: float) -> None:
        if self.recording:
            from recording import Predictions

            latency_ms = (perf_counter() - started) * 1000
            self.recording.add(
                Predictions(
                    datetime.now(UTC), model.version, model.classes, rows, outcomes, latency_ms
                )
            )


def behind_key(endpoint: Endpoint, key: str | None) -> Endpoint:
    """Return `endpoint`, refusing (401) who does not send the key; unchanged without a key."""
    if key is None:
        return endpoint
    expected = key.encode()

    async def guarded(request: Request) -> Response:
        # In constant time: how long it takes must not tell how much of a guess was right.
        if not hmac.compare_digest(request.headers.get("x-api-key", "").encode(), expected):
            raise Refused(401, "X-API-Key", "a valid key is needed in this header")
        return await endpoint(request)

    guarded.__doc__ = endpoint.__doc__
    guarded.__name__ = endpoint.__name__
    return guarded


async def show_refusal(request: Request, error: Refused) -> Response:
    # What is left of a body that is too long is not read: the connection ends here.
    headers = {"Connection": "close"} if error.code == 413 else None
    return answer(error.problem, error.code, headers)


async def show_http_error(request: Request, error: HTTPException) -> Response:
    """No such path, or not with this method."""
    field = "method" if error.status_code == 405 else "path"
    return answer(schema.Problem(field, error.detail), error.status_code, error.headers)


async def let_go(request: Request, error: ClientDisconnect) -> Response:
    """The caller left in the middle of the body: nobody reads this, but the metrics count it."""
    return Response(status_code=499)


def create_app() -> FastAPI:
    """Return the app; a wrong setting or a missing model ends the process with one line."""
    settings = read_settings()
    logs.configure(settings.log_level)
    service = Service(settings)
    app = FastAPI(
        title="Iris classifier",
        version=service.store.current.version,
        lifespan=service.running,
        # Every route that stands before /predict is tried before it.
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        exception_handlers={
            Refused: show_refusal,
            HTTPException: show_http_error,
            ClientDisconnect: let_go,
        },
    )
    app.router.route_class = DirectRoute
    key = settings.api_key
    denied = schema.problems(401) if key else {}

    def add(method: str, path: str, endpoint: Endpoint, **options: Any) -> None:
        app.add_api_route(path, endpoint, methods=[method], response_class=Response, **options)

    def body(type_: type) -> dict:
        return {"requestBody": {"required": True, **schema.as_json(type_)}}

    add("POST", "/predict", behind_key(service.predict, key), openapi_extra=body(schema.Iris),
        responses={200: schema.as_json(schema.Prediction), **schema.problems(413, 422), **denied})  # fmt: skip
    add("POST", "/predict/batch", behind_key(service.predict_batch, key), openapi_extra=body(schema.Batch),
        responses={200: schema.as_json(schema.BatchPrediction), **schema.problems(413, 422), **denied})  # fmt: skip
    add("GET", "/predictions", behind_key(service.predictions, key),
        openapi_extra={"parameters": schema.PAGE_PARAMETERS},
        responses={**schema.problems(404, 422, 503), **denied})  # fmt: skip
    add("GET", "/health", service.health)
    add("GET", "/ready", service.ready)
    add("GET", "/model", service.model)
    add("GET", "/metrics", service.metrics, include_in_schema=False)
    add("GET", "/", service.page, include_in_schema=False)

    def openapi() -> dict:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        document.setdefault("components", {}).setdefault("schemas", {}).update(schema.COMPONENTS)
        return document

    app.openapi = openapi
    app.add_middleware(metrics.CountRequests)
    return app
