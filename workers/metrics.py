"""What the workers count (Prometheus)."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from prometheus_client import Counter, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from workers.generation import Generator

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
ANSWER_CACHE = Counter(
    "madoguchi_answer_cache_total", "First questions by whether their answer was there already", ["result"]
)
WRONG_LANGUAGE = Counter("madoguchi_wrong_language_total", "Generations that began in another language than asked for")
FIRST_TEXT_SECONDS = Histogram(
    "madoguchi_first_text_seconds",
    "From the prompt handed to the model to the first of its text, the wait included",
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120),
)


class GeneratorMetrics(Collector):
    """What a generator tells of itself, looked up when Prometheus asks."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    def collect(self) -> Iterator[Metric]:
        """The families of one scrape."""
        load = self._generator.load
        yield _gauge("generations", "Generations by state", "state", running=load.running, waiting=load.waiting)
        speeds = {"prompt": load.prompt_tokens_per_s, "completion": load.completion_tokens_per_s}
        yield _gauge("tokens_per_second", "Measured speed of the model", "kind", **speeds)
        yield GaugeMetricFamily(
            "madoguchi_kept_bytes", "Memory for what was evaluated before and may be used again", load.kept_bytes
        )
        done = load.counts
        yield _counter(
            "tokens", "Tokens in and out", "kind", prompt=done.prompt_tokens, completion=done.completion_tokens
        )
        source = {"reused": done.reused_tokens - done.placed_tokens, "evaluated": done.evaluated_tokens}
        source |= {"placed": done.placed_tokens}
        yield _counter("prompt_tokens", "Tokens of prompts by where they came from", "source", **source)
        yield CounterMetricFamily(
            "madoguchi_tokens_read_ahead", "Tokens of passages that were read while nobody waited", done.ahead_tokens
        )
        yield CounterMetricFamily("madoguchi_model_batches", "Calls of the model", done.batches)
        yield CounterMetricFamily(
            "madoguchi_model_batch_rows",
            "Tokens in all calls; over the calls it is the fill of a batch",
            done.batch_rows,
        )

    def describe(self) -> Iterator[Metric]:
        """Nothing: the names must not be asked of a model that loads."""
        yield from ()


def _gauge(name: str, text: str, label: str, **values: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"madoguchi_{name}", text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _counter(name: str, text: str, label: str, **values: int) -> CounterMetricFamily:
    family = CounterMetricFamily(f"madoguchi_{name}", text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def serve_metrics(port: int) -> None:
    """Serve /metrics on the loopback interface; a port that is taken is said and not fatal. 0: no metrics."""
    if not port:
        return
    try:
        start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        log.warning("no metrics", extra={"port": port, "reason": error.strerror})
