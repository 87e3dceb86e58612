"""The default embedder, loaded once for all tests of the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from knowledge.blended_embedder import BlendedEmbedder
from knowledge.embedding import Embedder, Vectors


class RememberingEmbedder(BlendedEmbedder):
    """The real one, which embeds a text once: each index is measured with the same hundreds of questions."""

    def __init__(self, passages: Embedder) -> None:
        super().__init__(passages)
        self._queries: dict[str, Vectors] = {}
        self._documents: dict[str, Vectors] = {}

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return _remembered(self._queries, texts, super().encode_query)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        return _remembered(self._documents, texts, super().encode_document)


def _remembered(known: dict[str, Vectors], texts: Sequence[str], encode: Callable[[list[str]], Vectors]) -> Vectors:
    new = [text for text in dict.fromkeys(texts) if text not in known]
    if new:
        known.update(zip(new, encode(new), strict=True))
    return np.stack([known[text] for text in texts])
