"""Any embedding model that sentence-transformers can load, by its hub name or path."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from knowledge.embedding import MAX_CHARS, Vectors, clean
from knowledge.errors import EmbeddingFailed

_BATCH = 16
"""Texts that torch takes at once: more brings no speed on a CPU and takes memory."""


def load_sentence_embedder(name: str, *, fingerprint: str = "") -> SentenceEmbedder:
    """The model by its hub name or path.

    Raises:
        EmbeddingFailed: there is no such model, or it does not load.
    """
    try:
        model = SentenceTransformer(name, device="cpu")
    except (OSError, ValueError) as error:
        raise EmbeddingFailed(f"the embedding model {name} does not load: {error}") from error
    return SentenceEmbedder(model, fingerprint or f"{name} ({_revision(model, Path(name))})")


class SentenceEmbedder:
    """A sentence-transformers model, with its own prompts for queries and documents."""

    def __init__(self, model: SentenceTransformer, fingerprint: str) -> None:
        self._model = model
        self._fingerprint = fingerprint
        self._dimension = int(self.encode_query(["?"]).shape[1])

    @property
    def fingerprint(self) -> str:
        """Name and revision."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """The model cuts a text here."""
        return int(self._model.get_max_seq_length() or MAX_CHARS)

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as a document."""
        prompt = self._model.prompts.get("document") or ""
        tokens: list[int] = self._model.tokenizer(prompt + clean(text), truncation=False, verbose=False)["input_ids"]
        return len(tokens)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what people ask."""
        inputs = [clean(text) for text in texts]
        return _float32(self._model.encode_query(inputs, batch_size=_BATCH, normalize_embeddings=True))

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what documents say."""
        inputs = [clean(text) for text in texts]
        return _float32(self._model.encode_document(inputs, batch_size=_BATCH, normalize_embeddings=True))


def _float32(vectors: object) -> Vectors:
    return np.asarray(vectors, dtype=np.float32)


def _revision(model: SentenceTransformer, path: Path) -> str:
    """The hub's commit, or for a folder what changes when its files do."""
    if not path.is_dir():
        config = getattr(model[0].auto_model, "config", None)
        return str(getattr(config, "_commit_hash", None) or "unknown revision")
    files = sorted(file for file in path.rglob("*") if file.is_file())
    facts = [(str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
