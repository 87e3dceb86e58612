"""The embedder that EMBEDDING_MODEL names, loaded.

docs/decisions/embedding-runtime.md and docs/decisions/retrieval.md have the measurements behind the default.
"""

from __future__ import annotations

from pathlib import Path

from knowledge.blended_embedder import BlendedEmbedder
from knowledge.e5_engine import FINGERPRINT, E5Engine
from knowledge.embedding import Embedder
from knowledge.settings import DEFAULT_EMBEDDER, KnowledgeSettings


def load_embedder(settings: KnowledgeSettings) -> Embedder:
    """The model that EMBEDDING_MODEL names: the built-in one, or any that sentence-transformers can load.

    Raises:
        EmbeddingFailed: there is no such model, or it does not load.
    """
    if settings.embedding_model != DEFAULT_EMBEDDER:
        from knowledge.sentence_embedder import load_sentence_embedder  # noqa: PLC0415 - torch: seconds and 700 MB

        return load_sentence_embedder(settings.embedding_model)
    try:
        return BlendedEmbedder(E5Engine())
    except OSError:
        return BlendedEmbedder(load_unpacked(settings.models_path))


def load_unpacked(models_path: Path) -> Embedder:
    """E5 through torch, where its wheel has no engine for the machine: same vectors, more memory."""
    from knowledge.e5 import unpack_e5  # noqa: PLC0415 - torch
    from knowledge.sentence_embedder import load_sentence_embedder  # noqa: PLC0415 - torch

    return load_sentence_embedder(str(unpack_e5(models_path)), fingerprint=FINGERPRINT)
