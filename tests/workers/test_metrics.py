"""What Prometheus sees of the model."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client import CollectorRegistry, generate_latest

from tests.fakes.model import ScriptedGenerator
from workers.generation import Counts, Load
from workers.metrics import GeneratorMetrics


class Busy(ScriptedGenerator):
    """A generator in the middle of its work."""

    @property
    def load(self) -> Load:
        prompt = Counts(prompt_tokens=100, reused_tokens=60, placed_tokens=25, evaluated_tokens=40)
        counts = replace(prompt, completion_tokens=9, ahead_tokens=7, batches=12, batch_rows=49)
        return replace(super().load, running=2, waiting=3, kept_bytes=5000, counts=counts)


def test_a_scrape_tells_what_the_generator_tells_at_that_moment() -> None:
    registry = CollectorRegistry()
    registry.register(GeneratorMetrics(Busy()))

    lines = set(generate_latest(registry).decode().splitlines())

    assert lines >= {
        'madoguchi_generations{state="running"} 2.0',
        'madoguchi_generations{state="waiting"} 3.0',
        'madoguchi_tokens_per_second{kind="prompt"} 1000.0',
        'madoguchi_tokens_per_second{kind="completion"} 100.0',
        "madoguchi_kept_bytes 5000.0",
        'madoguchi_tokens_total{kind="prompt"} 100.0',
        'madoguchi_tokens_total{kind="completion"} 9.0',
        'madoguchi_prompt_tokens_total{source="reused"} 35.0',
        'madoguchi_prompt_tokens_total{source="placed"} 25.0',
        'madoguchi_prompt_tokens_total{source="evaluated"} 40.0',
        "madoguchi_tokens_read_ahead_total 7.0",
        "madoguchi_model_batches_total 12.0",
        "madoguchi_model_batch_rows_total 49.0",
    }
