"""What /metrics shows, and the ASGI layer that counts requests. One worker a container: no multiprocess mode."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # a second series a series, of no use to Prometheus

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

REQUESTS = Counter("http_requests_total", "Requests answered", ["route", "method", "code"])
DURATION = Histogram(
    "http_request_duration_seconds", "Time to answer", ["route", "method", "code"], buckets=BUCKETS
)
PREDICTIONS = Counter("predictions_total", "Rows classified", ["class_name"])
MODEL_INFO = Gauge("model_info", "The model in service", ["name", "version", "runtime"])
SWAP_FAILURES = Counter("model_swap_failures_total", "New models that were not taken into service")
CACHE_HITS = Counter("prediction_cache_hits_total", "Predictions answered from the cache")
RECORDS_WRITTEN = Counter("records_written_total", "Predictions written to the stream")
RECORDS_LOST = Counter("records_lost_total", "Predictions that could not be recorded")
RECORDS_WAITING = Gauge("records_waiting", "Predictions waiting to be written to the stream")


def show_model(name: str, version: str, runtime: str) -> None:
    MODEL_INFO.clear()
    MODEL_INFO.labels(name, version, runtime).set(1)


# labels() looks up and locks; the few combinations there are stay in a dictionary, here and in CountRequests.
_by_class: dict[str, Counter] = {}


def count_predictions(class_name: str, count: int = 1) -> None:
    if class_name not in _by_class:
        _by_class[class_name] = PREDICTIONS.labels(class_name)
    _by_class[class_name].inc(count)


def predictions_made() -> int:
    """Return the number of rows classified since the start."""
    return int(sum(s.value for s in PREDICTIONS.collect()[0].samples if s.name.endswith("_total")))


class CountRequests:
    """ASGI middleware. Starlette's BaseHTTPMiddleware would cost more than the whole prediction."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._children: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        code = 500

        async def watch(message: dict) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            self._count(scope, code, perf_counter() - started)

    def _count(self, scope: dict, code: int, seconds: float) -> None:
        # The route's pattern, never the path: the path is the caller's to choose, and each value is a time series.
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in METHODS else "other"
        key = (route, method, code)
        if key not in self._children:
            self._children[key] = (REQUESTS.labels(*key), DURATION.labels(*key))
        requests, duration = self._children[key]
        requests.inc()
        duration.observe(seconds)
