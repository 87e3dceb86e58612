"""Text as vectors: the Embedder protocol, in sentence-transformers' own words, and what every embedder does first."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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


def clean(text: str) -> str:
    """What an embedder can take of `text`: bounded, NFKC, without NUL (the engine stops there) and lone surrogates."""
    plain = unicodedata.normalize("NFKC", text[:MAX_CHARS])
    return plain.replace("\0", " ").encode("utf-8", "ignore").decode()
