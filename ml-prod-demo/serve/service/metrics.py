"""What /metrics shows, and the layer around the app that counts requests."""

from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from starlette.types import ASGIApp, Message, Receive, Scope, Send

disable_created_metrics()  # they would double the number of series, and Prometheus has no use for them

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
LABELS = ["route", "method", "code"]
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

REQUESTS = Counter("http_requests_total", "Requests answered", LABELS)
DURATION = Histogram("http_request_duration_seconds", "Time to answer", LABELS, buckets=BUCKETS)
PREDICTIONS = Counter("predictions_total", "Rows classified", ["class_name"])
MODEL_INFO = Gauge("model_info", "The model in service", ["name", "version", "runtime"])
SWAP_FAILURES = Counter("model_swap_failures_total", "New models that were not taken into service")
TASK_FAILURES = Counter("task_failures_total", "Rounds of a background task that failed", ["task"])


def predictions_made() -> int:
    """Return the number of rows classified since the start."""
    return int(sum(sample.value for sample in PREDICTIONS.collect()[0].samples))


class CountRequests:
    """ASGI middleware, as Starlette documents it ("Pure ASGI middleware")."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = perf_counter()
        code = 500

        async def note_code(message: Message) -> None:
            nonlocal code
            code = message.get("status", code)
            await send(message)

        try:
            await self.app(scope, receive, note_code)
        finally:
            # The route's pattern, never the path: callers choose the path, and each value becomes a time series.
            route = getattr(scope.get("route"), "path", "unknown")
            method = scope["method"] if scope["method"] in METHODS else "other"
            REQUESTS.labels(route, method, code).inc()
            DURATION.labels(route, method, code).observe(perf_counter() - started)
