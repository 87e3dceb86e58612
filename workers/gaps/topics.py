"""Sorts gaps into topics: questions that ask the same, by meaning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from knowledge.embedding import Embedder, Vectors
from knowledge.everyday import ENGLISH, JAPANESE
from workers.gaps.gap import Gap
from workers.gaps.gaps import Gaps

DEVIATIONS = 4.0
"""So far above what unrelated questions have in common must the cosine of two be that ask the same, in standard
deviations of the unrelated. Measured (tests/workers/gaps/test_topics.py): from 3.4 on nothing is joined wrongly."""
AT_ONCE = 16


class Sorting:
    """Gives gaps their topics. One process does it, or the same topic would be there twice.

    Vectors are what a person said, in another form: they are kept in memory only, and only as long as their gap.
    """

    def __init__(self, gaps: Gaps, load: Callable[[], Embedder]) -> None:
        self._gaps = gaps
        self._load = load
        self._vectors: dict[tuple[str, str], Vectors] = {}

    def sort(self) -> int:
        """Sort what is in no topic yet; how many that were.

        Raises:
            EmbeddingFailed: the model cannot be loaded, or rejects a question.
        """
        gaps, numbers = self._gaps.all(), self._gaps.numbers()
        there = {gap.id for gap in gaps}
        self._gaps.forget_topics_of([gap_id for gap_id in numbers if gap_id not in there])
        self._vectors = {key: self._vectors[key] for key in map(_key, gaps) if key in self._vectors}
        new = [gap for gap in reversed(gaps) if gap.id not in numbers]
        if new:
            self._sort(new, [gap for gap in gaps if gap.id in numbers], numbers)
        return len(new)

    def _sort(self, new: Sequence[Gap], known: Sequence[Gap], numbers: dict[str, int]) -> None:
        embedder = self._load()  # not kept: gaps are few, and a model is large
        self._embed([*known, *new], embedder)
        threshold = same_from(embedder)
        members: dict[int, list[Vectors]] = defaultdict(list)
        for gap in known:
            members[numbers[gap.id]].append(self._vectors[_key(gap)])
        for gap in new:
            vector = self._vectors[_key(gap)]
            number = nearest(vector, members, threshold) or self._gaps.new_topic()
            members[number].append(vector)
            self._gaps.put(gap.id, number)

    def _embed(self, gaps: Sequence[Gap], embedder: Embedder) -> None:
        missing = [gap for gap in gaps if _key(gap) not in self._vectors]
        for first in range(0, len(missing), AT_ONCE):
            some = missing[first : first + AT_ONCE]
            vectors = embedder.encode_query([gap.question for gap in some])
            self._vectors.update(zip(map(_key, some), vectors, strict=True))


def nearest(vector: Vectors, members: dict[int, list[Vectors]], threshold: float) -> int | None:
    """The topic whose questions are the nearest on average; None when none is near enough."""
    cosines = {number: float(np.mean(np.stack(vectors) @ vector)) for number, vectors in members.items()}
    best = max(cosines, key=cosines.__getitem__, default=None)
    return best if best is not None and cosines[best] >= threshold else None


def same_from(embedder: Embedder) -> float:
    """The cosine from which on two questions count as the same: every model has a scale of its own."""
    cosines = np.concatenate([_unrelated(embedder, questions) for questions in (JAPANESE, ENGLISH)])
    return float(cosines.mean() + DEVIATIONS * cosines.std())


def _unrelated(embedder: Embedder, questions: Sequence[str]) -> Vectors:
    """The cosines of every two of some questions."""
    vectors = embedder.encode_query(questions)
    cosines: Vectors = (vectors @ vectors.T)[np.triu_indices(len(questions), 1)]
    return cosines


def _key(gap: Gap) -> tuple[str, str]:
    """What a gap's vector depends on."""
    return gap.id, gap.question
