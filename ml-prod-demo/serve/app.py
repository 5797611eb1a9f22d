"""The api: its routes, and what starts and stops with them. Run by `uvicorn app:app`."""

import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import schema
from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from model import ModelError, ModelStore
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from schema import Batch, BatchPrediction, ClassOfRow, Iris, Prediction
from service import logs, metrics, tasks
from service.hosts import CheckHost
from service.settings import SettingError, read_settings
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

production = None
try:
    settings = read_settings(os.environ)
    logs.configure(settings.log_level)
    # A key, recorded predictions: see production/README.md.
    if any(os.environ.get(name) for name in ("API_KEY_FILE", "DATABASE_URL", "REDIS_URL")):
        from production import Production

        production = Production(os.environ)
    store = (production.make_store if production else ModelStore)(settings.model_path)
except (SettingError, ModelError) as error:
    print(f"api: {error}", file=sys.stderr)
    sys.exit(2)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """What runs from before the first request until after the last."""
    async with store.running():
        yield
    logging.getLogger("api").info("stopped", extra={"predictions": metrics.predictions_made()})


# FastAPI's own pages load their scripts from the internet, and stand before /predict, so that each is tried before it.
# Its OpenTelemetry is off: /metrics counts, and what nobody collects costs each request a few hundredths of its time.
app = FastAPI(
    title="Iris classifier",
    lifespan=lifespan,
    docs_url=None,
    redoc_url=None,
    telemetry={"tracing": False, "metrics": False, "logs": False},
)
app.add_middleware(CheckHost, allowed=settings.allowed_hosts)
app.add_middleware(metrics.CountRequests)
if production:
    production.plug_into(app)
behind_key = production.behind_key if production else []
refusals: dict[int | str, dict[str, Any]] = {
    code: {"model": schema.Problem} for code in (401, 408, 413, 422)
}


# These two read the body themselves, in one pass from bytes to checked flowers: the quickest way, and it refuses a long
# body early. `openapi_extra` tells /docs what they accept.
@app.post(
    "/predict",
    dependencies=behind_key,
    openapi_extra=schema.describe_body(Iris),
    responses={200: {"model": Prediction}, **refusals},
)
async def predict(request: Request) -> Response:
    """Classify one flower."""
    iris = Iris.from_json(await schema.read_body(request))
    model, (label,), (probabilities,) = store.classify([iris.features()])
    answer = Prediction(
        predicted_class_index=label,
        predicted_class_name=model.classes[label],
        probabilities=dict(zip(model.classes, probabilities, strict=True)),
        input=iris,
    )
    return Response(answer.model_dump_json(), media_type="application/json")


@app.post(
    "/predict/batch",
    dependencies=behind_key,
    openapi_extra=schema.describe_body(Batch),
    responses={200: {"model": BatchPrediction}, 503: {"model": schema.Problem}, **refusals},
)
async def predict_batch(request: Request) -> Response:
    """Classify up to 10,000 flowers in one call of the model."""
    batch = Batch.from_json(await schema.read_body(request))
    model, labels, _ = store.classify([iris.features() for iris in batch.rows])
    entries = [
        ClassOfRow(predicted_class_index=index, predicted_class_name=name)
        for index, name in enumerate(model.classes)
    ]
    answer = BatchPrediction(predictions=[entries[label] for label in labels])
    return Response(answer.model_dump_json(), media_type="application/json")


@app.get("/health")
async def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@app.get("/ready")
async def ready() -> dict[str, str | None]:
    """A model is in service. `problem` says why a newer one is not, or what beside the requests fails."""
    version = store.current.about["version"]
    failing = "; ".join(f"{name}: {reason}" for name, reason in tasks.problems.items())
    return {
        "status": "ready",
        "model_version": version,
        "problem": store.problem or failing or None,
    }


@app.get("/model")
async def describe_model() -> dict:
    """The model in service."""
    return store.current.about


@app.get("/metrics", include_in_schema=False)
async def show_metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@app.get("/", include_in_schema=False)
async def page() -> FileResponse:
    return FileResponse("index.html")


# The files of Swagger UI, from a package: /docs works where nothing but this container can be reached.
app.mount("/static", StaticFiles(packages=[("fastapi_offline", "static")]))


@app.get("/docs", include_in_schema=False)
async def show_docs() -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=app.title,
        swagger_js_url="/static/swagger-ui-bundle.js",
        swagger_css_url="/static/swagger-ui.css",
        swagger_favicon_url="/static/favicon.png",
    )


@app.exception_handler(HTTPException)
async def show_problem(request: Request, error: HTTPException) -> JSONResponse:
    """What `refuse` made; or there is no such path, or not with this method."""
    field = "method" if error.status_code == 405 else "path"
    refused = isinstance(error.detail, dict)
    problem = error.detail if refused else {"field": field, "reason": error.detail}
    return JSONResponse(problem, error.status_code, error.headers)


@app.exception_handler(ClientDisconnect)
async def let_go(request: Request, error: ClientDisconnect) -> Response:
    """The caller left in the middle of the body: nobody reads this, but the metrics count it."""
    return Response(status_code=499)
