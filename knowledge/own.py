"""A handful of chunks that are searched beside the index for one conversation: of files that people have shown there.

They are in no index. Whoever keeps them hands them in with each question.
"""

from __future__ import annotations

import atexit
import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import nlargest
from itertools import islice
from typing import NamedTuple

import numpy as np

from knowledge import formats, lexical
from knowledge.calibration import Floor
from knowledge.chunking import Limit, split
from knowledge.documents import Chunk, Document
from knowledge.embedding import Vectors
from knowledge.formats import Content, NoContent
from knowledge.formats.apart import ReaderProcess
from knowledge.fusion import Near, Sides, room

READ_WITHIN_S = 20.0
"""Somebody waits for the answer."""
MOST_CHARS = 300_000
CANDIDATES = 50

_READER = ReaderProcess(limit_s=READ_WITHIN_S)
atexit.register(_READER.close)
_BY_WORDS_ALONE = Floor(cosine=0.0, evidence=math.inf, coverage=0.5)
"""For an index without a chunk, which tells nothing of what unrelated questions reach."""


def _no_vectors() -> Vectors:
    return np.zeros((0, 0), dtype=np.float32)


class Split(NamedTuple):
    """The chunks of a document, and whether they are all of it."""

    chunks: tuple[Chunk, ...]
    whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class OwnChunks:
    """Chunks with their vectors, a row each, by the embedder that the index has.

    Args:
        meant: the ids of those that the question came with: they are found however far they are.
    """

    chunks: tuple[Chunk, ...] = ()
    vectors: Vectors = field(default_factory=_no_vectors)
    meant: frozenset[str] = frozenset()

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the chunks."""
        return frozenset(chunk.id for chunk in self.chunks)

    def numbered(self) -> dict[int, Chunk]:
        """The chunks by numbers that no index gives."""
        return {-1 - row: chunk for row, chunk in enumerate(self.chunks)}

    def beside(
        self,
        sides: Sequence[Sides],
        asked: Vectors,
        rarities: Sequence[Mapping[str, float]],
        floors: Mapping[str, Floor],
    ) -> list[Sides]:
        """What each wording of a question found in the index, and what it finds here, by the same measures.

        Args:
            asked: the wordings' vectors, a row each.
            rarities: how rare each wording's words are in the index.
            floors: of the index, for the question's language.
        """
        return [
            Sides({**found.dense, **self._near(row, floors)}, {**found.lexical, **self._covering(words)})
            for found, row, words in zip(sides, asked, rarities, strict=True)
        ]

    def _near(self, asked: Vectors, floors: Mapping[str, Floor]) -> dict[int, Near]:
        numbered = self.numbered()
        cosines = {-1 - row: float(cosine) for row, cosine in enumerate(self.vectors @ asked)}
        nearest = nlargest(CANDIDATES, cosines.items(), key=lambda item: item[1])
        above = room(floor.cosine for floor in floors.values())
        return {n: Near.above(floor_for(floors, numbered[n].language).cosine, cosine, above) for n, cosine in nearest}

    def _covering(self, rarities: Mapping[str, float]) -> dict[int, float]:
        covered = {n: lexical.coverage(rarities, chunk.searchable) for n, chunk in self.numbered().items()}
        best = nlargest(CANDIDATES, covered.items(), key=lambda item: item[1])
        return {n: coverage for n, coverage in best if coverage}


NO_CHUNKS = OwnChunks()


def floor_for(floors: Mapping[str, Floor], language: str) -> Floor:
    """The floor for chunks in a language; another's where the index has none in it."""
    return floors.get(language) or next(iter(floors.values()), _BY_WORDS_ALONE)


def read(name: str, content: bytes) -> Content:
    """What a file of this name says, at least a word; within READ_WITHIN_S.

    Raises:
        NoContent, Undecodable: nothing, for the reason given.
    """
    read = formats.read(name, content, _READER.read)
    if not read.text.strip():
        raise NoContent("empty")
    return read


def chunks_of(document: Document, pages: Sequence[int], limit: Limit, most: int) -> Split:
    """The first `most` chunks of a document, under their page where it has pages.

    Args:
        pages: where in the text each page begins; none for a document without pages.
    """
    beginning = replace(document, text=document.text[:MOST_CHARS])
    chunks = tuple(islice(split(beginning, limit), most + 1))
    whole = len(chunks) <= most and len(document.text) <= MOST_CHARS
    return Split(tuple(_on_their_pages(chunks[:most], beginning.text, pages)), whole)


def _on_their_pages(chunks: Sequence[Chunk], text: str, pages: Sequence[int]) -> Iterator[Chunk]:
    end = 0
    for chunk in chunks:
        at = text.find(chunk.text, end) if pages else -1
        if at < 0:
            yield chunk
            continue
        end = at + len(chunk.text)
        yield replace(chunk, title=f"{chunk.title}, p. {bisect_right(pages, at)}")
