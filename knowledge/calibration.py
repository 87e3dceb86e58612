"""The floor: how near a chunk must be to count as found. Measured for each index, since every model has its own scale.

multilingual-e5 gives 0.82 to everyday questions that nothing answers and 0.88 to questions that are answered; another
model has other figures, and a larger index is nearer to everything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge import chunk_store, lexical
from knowledge.embedding import Embedder
from knowledge.everyday import ENGLISH, JAPANESE
from knowledge.fusion import Candidate
from knowledge.language import language
from knowledge.vectors import VectorIndex

_EVERYDAY: Mapping[str, Sequence[str]] = {"ja": JAPANESE, "en": ENGLISH}
_OWN_SENTENCES = 64


@dataclass(frozen=True, slots=True)
class Floor:
    """What counts as found, for questions in one language."""

    cosine: float
    coverage: float

    def passes(self, candidate: Candidate) -> bool:
        """Whether it is near in meaning, or has so much of the question's rare words that meaning does not matter."""
        return candidate.cosine >= self.cosine or candidate.coverage >= self.coverage


def calibrate(database: sqlite3.Connection, vectors: VectorIndex, embedder: Embedder) -> dict[str, Floor]:
    """The floor by the question's language.

    Nearer than all but one in twenty everyday questions come; but no nearer than nineteen in twenty of the documents'
    own sentences do, so that documents about everyday things stay findable. Of the words, half of the way from what
    everyday questions reach to a chunk that has them all.
    """
    own = _nearest(vectors, embedder, _own_sentences(database)) or [1.0]
    audiences = chunk_store.audiences(database)
    floors = {}
    for name, questions in _EVERYDAY.items():
        nearest = _nearest(vectors, embedder, questions)
        covered = max(max(lexical.search(database, q, audiences, 1).values(), default=0.0) for q in questions)
        cosine = min(float(np.quantile(nearest, 0.95)), float(np.quantile(own, 0.05, method="lower")))
        floors[name] = Floor(cosine=cosine, coverage=(covered + max(covered, lexical.ALL_ONCE)) / 2)
    return floors


def floor_for(question: str, floors: Mapping[str, Floor]) -> Floor:
    """The floor for the language that the question is in."""
    return floors[language(question)]


def _nearest(vectors: VectorIndex, embedder: Embedder, questions: Sequence[str]) -> list[float]:
    if not questions:
        return []
    found = vectors.search(embedder.encode_query(questions), None, 1)
    return [max(cosines.values(), default=0.0) for cosines in found]


def _own_sentences(database: sqlite3.Connection) -> list[str]:
    """The beginnings of chunks spread evenly over the index."""
    step = max(1, chunk_store.count(database) // _OWN_SENTENCES)
    numbers = range(1, chunk_store.count(database) + 1, step)
    chunks = chunk_store.get(database, numbers).values()
    return [chunk.text.replace("\n", " ").split("。")[0][:100] for chunk in chunks]
