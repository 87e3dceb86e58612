"""The floor: how near a chunk must be to count as found. Measured for each index, since every model has its own scale.

multilingual-e5 gives 0.82 to everyday questions that nothing answers and 0.88 to questions that are answered; another
model has other figures, and a larger index is nearer to everything.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge import chunk_store, lexical
from knowledge.embedding import Embedder, Vectors
from knowledge.everyday import ENGLISH, JAPANESE
from knowledge.fusion import Candidate
from knowledge.vectors import VectorIndex

_EVERYDAY: Mapping[str, Sequence[str]] = {"ja": JAPANESE, "en": ENGLISH}
_OWN_SENTENCES = 64
_BATCH = 100
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Floor:
    """What counts as found, for questions in one language and chunks in one language."""

    cosine: float
    coverage: float

    def passes(self, candidate: Candidate) -> bool:
        """Whether it is near in meaning, or has so much of the question's rare words that meaning does not matter."""
        return candidate.cosine >= self.cosine or candidate.coverage >= self.coverage


Floors = Mapping[str, Mapping[str, Floor]]
"""By the question's language, then by the chunk's; of chunks only languages that the index has."""


def calibrate(
    database: sqlite3.Connection, vectors: VectorIndex, embedder: Embedder, tell: Callable[[], None]
) -> Floors:
    """The floors of an index; `tell` is called every few questions.

    Nearer than all but one in twenty everyday questions come; but, within a language, no nearer than nineteen in twenty
    of the documents' own sentences do, so that documents about everyday things stay findable. Of the words, half of the
    way from what everyday questions reach to a chunk that has them all.
    """
    own = _own_sentences(database)
    floors: dict[str, dict[str, Floor]] = {}
    for asked_in, questions in _EVERYDAY.items():
        coverage = _coverage_floor(database, questions)
        asked = _encoded(embedder, questions, tell)
        unrelated = {written_in: _quantile(_nearest(vectors, asked, written_in), 0.95) for written_in in own}
        if asked_in in own:
            related = _quantile(_nearest(vectors, _encoded(embedder, own[asked_in], tell), asked_in), 0.05)
            unrelated[asked_in] = min(unrelated[asked_in], related)
        floors[asked_in] = {written_in: Floor(cosine, coverage) for written_in, cosine in unrelated.items()}
    return floors


def _coverage_floor(database: sqlite3.Connection, questions: Sequence[str]) -> float:
    audiences = chunk_store.audiences(database)
    covered = max(max(lexical.search(database, one, audiences, 1).values(), default=0.0) for one in questions)
    return (covered + 1) / 2


def _encoded(embedder: Embedder, questions: Sequence[str], tell: Callable[[], None]) -> Vectors:
    encoded = []
    for start in range(0, len(questions), _AT_ONCE):
        encoded.append(embedder.encode_query(questions[start : start + _AT_ONCE]))
        tell()
    return np.concatenate(encoded)


def _nearest(vectors: VectorIndex, asked: Vectors, written_in: str) -> list[float]:
    found = vectors.search(asked, 1, language=written_in)
    return [max(cosines.values(), default=0.0) for cosines in found]


def _quantile(values: Sequence[float], share: float) -> float:
    return float(np.quantile(values, share))


def _own_sentences(database: sqlite3.Connection) -> dict[str, list[str]]:
    """By every language that the index has the beginnings of chunks, spread evenly over the index."""
    step = max(1, chunk_store.count(database) // _OWN_SENTENCES)
    seen: Counter[str] = Counter()
    sentences: dict[str, list[str]] = {}
    for batch in chunk_store.batches(database, _BATCH):
        for _, chunk, _ in batch:
            if seen[chunk.language] % step == 0:
                sentences.setdefault(chunk.language, []).append(chunk.text.replace("\n", " ").split("。")[0][:100])
            seen[chunk.language] += 1
    return sentences
