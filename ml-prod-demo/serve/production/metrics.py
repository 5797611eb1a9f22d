"""What /metrics shows of recording, besides what it shows without it."""

from prometheus_client import Counter, Gauge

CACHE_HITS = Counter("prediction_cache_hits_total", "Predictions answered from the cache")
RECORDS_WRITTEN = Counter("records_written_total", "Predictions written to the stream")
RECORDS_LOST = Counter("records_lost_total", "Predictions that could not be recorded")
RECORDS_WAITING = Gauge("records_waiting", "Predictions waiting to be written to the stream")
RECORDS_IN_STREAM = Gauge(
    "records_in_stream",
    "Predictions in the stream, not in the database yet, when Redis last answered",
)
