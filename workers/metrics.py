"""What the workers count (Prometheus)."""

from __future__ import annotations

import logging

from prometheus_client import Counter, Gauge, Histogram, start_http_server

log = logging.getLogger(__name__)

ANSWERS = Counter("madoguchi_answers_total", "Batches served, by what became of them", ["platform", "outcome"])
ANSWER_SECONDS = Histogram(
    "madoguchi_answer_seconds",
    "From the lock taken to the answer delivered",
    buckets=(0.1, 0.5, 1, 2, 5, 10, 20, 30, 45, 60, 120, 300),
)
CONTROLS = Counter("madoguchi_controls_total", "Control events carried out", ["kind", "outcome"])
LETTERS_DROPPED = Counter("madoguchi_dead_letters_dropped_total", "Dead letters dropped for their age or number")
SWEPT = Counter("madoguchi_swept_total", "Conversations that the sweep found without a hint")
GENERATING = Gauge("madoguchi_generations", "Generations by state", ["state"])
TOKENS_PER_S = Gauge("madoguchi_tokens_per_second", "Measured speed of the model", ["kind"])


def serve_metrics(port: int) -> None:
    """Serve /metrics on the loopback interface; a port that is taken is said and not fatal. 0: no metrics."""
    if not port:
        return
    try:
        start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        log.warning("no metrics", extra={"port": port, "reason": error.strerror})
