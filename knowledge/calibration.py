"""The floor: how near a chunk must be to count as found. Measured for each index, since every model has its own scale.

multilingual-e5 gives 0.82 to everyday questions that nothing answers and 0.88 to questions that are answered; another
model has other figures, and a larger index is nearer to everything.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from knowledge import chunk_store, lexical
from knowledge.embedding import Embedder, Vectors
from knowledge.everyday import ENGLISH, JAPANESE
from knowledge.fusion import Candidate
from knowledge.vectors import VectorIndex

COVERAGE_SHARE = 0.08
"""What a chunk that has all words of a question gains on one that has none, as a cosine."""
MARGIN = 0.005
"""Both measured with what lets fewest questions through whose article is missing (docs/decisions/answers.md)."""

_EVERYDAY: Mapping[str, Sequence[str]] = {"ja": JAPANESE, "en": ENGLISH}
_NEAREST = 30
_OWN_SENTENCES = 64
_BATCH = 100
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Floor:
    """What counts as found, for questions in one language and chunks in one language.

    Args:
        cosine: what unrelated questions reach.
        evidence: from here on meaning and words together say that a chunk is about the question.
        coverage: from here on its rare words alone do.
    """

    cosine: float
    evidence: float
    coverage: float

    def passes(self, candidate: Candidate) -> bool:
        """Whether the chunk is found."""
        return evidence(candidate.cosine, candidate.coverage) >= self.evidence or candidate.coverage >= self.coverage


def evidence(cosine: float, coverage: float) -> float:
    """How much speaks for a chunk: nearness in meaning, and the question's rare words that it has."""
    return cosine + COVERAGE_SHARE * coverage


Floors = Mapping[str, Mapping[str, Floor]]
"""By the question's language, then by the chunk's; of chunks only languages that the index has."""


def calibrate(
    database: sqlite3.Connection, vectors: VectorIndex, embedder: Embedder, tell: Callable[[], None]
) -> Floors:
    """The floors of an index; `tell` is called every few questions.

    Above all but one in twenty everyday questions; but, within a language, not above the nearness that nineteen in
    twenty of the documents' own sentences have, so that documents about everyday things stay findable. Of the words
    alone, half of the way from what everyday questions reach to a chunk that has them all.
    """
    own = _own_sentences(database)
    floors: dict[str, dict[str, Floor]] = {}
    for asked_in, questions in _EVERYDAY.items():
        asked = _encoded(embedder, questions, tell)
        covered = _covered(database, questions)
        floors[asked_in] = {written_in: _floor(vectors, asked, covered, written_in) for written_in in own}
        if asked_in in own:
            related = _quantile(_nearest(vectors, _encoded(embedder, own[asked_in], tell), asked_in), 0.05)
            floors[asked_in][asked_in] = _lowered(floors[asked_in][asked_in], related)
    return floors


def _covered(database: sqlite3.Connection, questions: Sequence[str]) -> list[dict[int, float]]:
    audiences = chunk_store.audiences(database)
    return [lexical.search(database, question, audiences, _NEAREST) for question in questions]


def _floor(vectors: VectorIndex, asked: Vectors, covered: Sequence[Mapping[int, float]], written_in: str) -> Floor:
    """What all but one in twenty of these unrelated questions stay below."""
    nearest, most = [], []
    for cosines, coverages in zip(vectors.search(asked, _NEAREST, language=written_in), covered, strict=True):
        nearest.append(max(cosines.values(), default=0.0))
        most.append(max((evidence(cosine, coverages.get(n, 0.0)) for n, cosine in cosines.items()), default=0.0))
    words = max(max(coverages.values(), default=0.0) for coverages in covered)
    return Floor(_quantile(nearest, 0.95), _quantile(most, 0.95) + MARGIN, (words + 1) / 2)


def _lowered(floor: Floor, nearness: float) -> Floor:
    return replace(floor, cosine=min(floor.cosine, nearness), evidence=min(floor.evidence, nearness))


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
