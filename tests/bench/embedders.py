"""Embedders for benchmarks: the real one, but for how its vectors come about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.embedding import Embedder, Vectors


@dataclass(slots=True)
class Wrapped:
    """Another embedder, for classes that do some of it in their own way."""

    inner: Embedder

    @property
    def fingerprint(self) -> str:
        return self.inner.fingerprint

    @property
    def dimension(self) -> int:
        return self.inner.dimension

    @property
    def max_tokens(self) -> int:
        return self.inner.max_tokens

    def count_tokens(self, text: str) -> int:
        return self.inner.count_tokens(text)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return self.inner.encode_query(texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        return self.inner.encode_document(texts)
