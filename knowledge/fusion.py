"""Two sides of a search as one ranking, by score and not by rank. Pure.

Rank fusion forgets how sure each side is, and halves the recall of short questions among long documents
(docs/decisions/retrieval.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge import lexical

COVERAGE_WEIGHT = 1.4
"""Of the squared coverage: a few words in common are chance, and say little; most of them are an echo, and say all."""

LANGUAGE_WEIGHT = 0.6
LEAST_ROOM = 0.02
"""For an index whose every chunk is near to everything."""
FURTHER_OFF = 0.2
"""In the unit of a lead; without it words in common bring up what is not near at all."""
NEAR_DUPLICATE = 0.9


@dataclass(frozen=True, slots=True)
class Near:
    """How near a chunk is: its cosine, and its lead, which may be compared between languages and between models.

    A model finds everything in the question's own language nearer than anything in another. So a part of the floor of
    the chunk's language is taken off: what unrelated questions reach there says nothing for the chunk. What is left is
    measured by the room that the model leaves above its floors, which with some is a tenth and with others a half.
    """

    cosine: float
    lead: float

    @classmethod
    def above(cls, floor: float, cosine: float, room: float) -> Near:
        """A cosine in a language with this floor."""
        return cls(cosine, (cosine - LANGUAGE_WEIGHT * floor) / room)


def room(floors: Iterable[float]) -> float:
    """What lies between the highest floor and a text that says the same."""
    return max(1.0 - max(floors, default=0.0), LEAST_ROOM)


@dataclass(frozen=True, slots=True)
class Sides:
    """What one wording of a question found: chunks by number, how near they are, and how they cover its words."""

    dense: Mapping[int, Near]
    lexical: Mapping[int, float]

    def cosine(self, number: int) -> float:
        """The chunk's cosine; the least of those found for a chunk that was not among them."""
        near = self.dense.get(number)
        return near.cosine if near else min((one.cosine for one in self.dense.values()), default=0.0)

    def score(self, number: int) -> float:
        """The chunk's lead, and what its coverage adds; one that is not among the nearest is further off than those."""
        near = self.dense.get(number)
        lead = near.lead if near else min((one.lead for one in self.dense.values()), default=0.0) - FURTHER_OFF
        return lead + COVERAGE_WEIGHT * self.lexical.get(number, 0.0) ** 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that was found: score and cosine are means over the wordings, coverage is of the first one alone.

    An earlier question's words say nothing on whether a chunk has the words of this one.
    """

    number: int
    score: float
    cosine: float
    coverage: float


def fuse(wordings: Sequence[Sides]) -> list[Candidate]:
    """Every chunk that any wording of a question found, best first; the first wording is the question itself."""
    numbers = {number for sides in wordings for number in (*sides.dense, *sides.lexical)}
    candidates = (_candidate(number, wordings) for number in numbers)
    return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.number))


def _candidate(number: int, wordings: Sequence[Sides]) -> Candidate:
    count = len(wordings)
    return Candidate(
        number=number,
        score=sum(sides.score(number) for sides in wordings) / count,
        cosine=sum(sides.cosine(number) for sides in wordings) / count,
        coverage=wordings[0].lexical.get(number, 0.0),
    )


def distinct(texts: Iterable[str]) -> Iterator[int]:
    """The positions of the texts that do not nearly repeat an earlier one; no further are read than are taken."""
    kept: list[frozenset[str]] = []
    for position, text in enumerate(texts):
        words = frozenset(lexical.tokens(text))
        if not any(_similarity(words, other) >= NEAR_DUPLICATE for other in kept):
            kept.append(words)
            yield position


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 1.0
