"""How long a question takes in an index of 10,000 chunks; part of `make bench-retrieval`.

The chunks are halves of the question sets' paragraphs put together anew, and their vectors are those of paragraphs with
noise: what a search costs depends on how many there are and how they lie, not on whether they are right.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge.embedders import load_embedder
from knowledge.embedding import Vectors
from knowledge.reindexing import reindex
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.bench.embedders import Wrapped

CHUNKS = 10_000
NOISE = 0.3
WARM_UP = 5


@dataclass(slots=True)
class Scattered(Wrapped):
    """The default embedder, but documents get one of the known vectors with noise, at once."""

    known: Vectors
    drawn: np.random.Generator

    def count_tokens(self, text: str) -> int:
        return len(text)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        vectors = self.drawn.choice(self.known, len(texts))
        vectors += NOISE * self.drawn.standard_normal(vectors.shape, np.float32) / np.sqrt(vectors.shape[1])
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def timed(work: Path, texts: Sequence[str], vectors: Vectors, questions: Sequence[str]) -> dict[str, float]:
    """Milliseconds of a whole retrieval among 10,000 chunks, the question's embedding included.

    `query_ms_p50_10k`: for who may read everything; with `filtered`: for who may read half of it.
    """
    settings = KnowledgeSettings(data_path=work)
    embedder = Scattered(load_embedder(settings), vectors, np.random.default_rng(0))
    reindex(settings, sources=sources(work, texts), embedder=embedder)
    with open_retriever(settings, embedder) as retriever:
        found = {}
        for name, labels in (("", {"public", "members"}), ("_filtered", {"public"})):
            elapsed = []
            for question in (*questions[:WARM_UP], *questions):
                started = time.perf_counter()
                retriever.retrieve(question, audience=frozenset(labels))
                elapsed.append((time.perf_counter() - started) * 1000)
            for share in (50, 99):
                found[f"query_ms_p{share}_10k{name}"] = round(float(np.percentile(elapsed[WARM_UP:], share)), 1)
    return found


def sources(work: Path, texts: Sequence[str]) -> list[Folder]:
    """Two folders of half of the chunks each, for two audiences."""
    chance = random.Random(0)
    folders = {label: work / label for label in ("public", "members")}
    for folder in folders.values():
        folder.mkdir(parents=True)
        for number in range(CHUNKS // 2):
            one, other = chance.sample(texts, 2)
            half = f"{one[: len(one) // 2]}\n{other[len(other) // 2 :]}"
            (folder / f"{number}.txt").write_text(half[:350], "utf-8")
    return [Folder(path=folder, audience=frozenset({label})) for label, folder in folders.items()]
