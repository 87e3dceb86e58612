"""A draft's chunks made searchable on both sides."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge import chunk_store, lexical
from knowledge.calibration import Floors, calibrate
from knowledge.documents import Chunk
from knowledge.embedding import Embedder, Vectors
from knowledge.errors import IndexBroken
from knowledge.report import Progress, Step
from knowledge.spare_room import blank_spare_room
from knowledge.transaction import transaction
from knowledge.vector_cache import VectorCache
from knowledge.vectors import Partition, VectorIndex

BATCH = 128
"""Chunks in memory at a time."""

AT_ONCE = 4
"""Chunks that are embedded before there is word of it, and that are lost to a kill at most."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills a draft.

    Args:
        embedder: for the vectors that the cache does not have.
        progress: told how many of all chunks have theirs.
    """

    embedder: Embedder
    cache: VectorCache
    progress: Progress

    def fill(self, database: sqlite3.Connection, folder: Path) -> tuple[int, Floors]:
        """Make every chunk of the database searchable, by words in it and by its vector in the folder.

        How many vectors were computed, and the floors.

        Raises:
            IndexBroken: a chunk does not find itself, or Chroma writes another form than is known.
        """
        total, done, embedded = chunk_store.count(database), 0, 0
        lexical.create(database)
        with closing(VectorIndex.create(folder, _sizes(database))) as vectors:
            with transaction(database):
                for batch in chunk_store.batches(database, BATCH):
                    numbers, chunks, audiences = zip(*batch, strict=True)
                    encoded, new = self._encoded(chunks, done, total)
                    vectors.add(numbers, encoded, audiences=audiences, languages=[chunk.language for chunk in chunks])
                    lexical.add(database, batch)
                    _check(vectors, numbers[0], encoded[:1])
                    embedded, done = embedded + new, done + len(batch)
            if vectors.count() != total:
                raise IndexBroken(f"{vectors.count()} vectors of {total} chunks were kept")
            floors = calibrate(database, vectors, self.embedder, lambda: self.progress(Step("checking", 0, 0)))
        blank_spare_room(folder)
        return embedded, floors

    def _encoded(self, chunks: Sequence[Chunk], done: int, total: int) -> tuple[Vectors, int]:
        """The chunks' vectors, and how many of them had to be computed."""
        found, embedded = [], 0
        for start in range(0, len(chunks), AT_ONCE):
            few = chunks[start : start + AT_ONCE]
            vectors, new = self.cache.encode_document([chunk.searchable for chunk in few], self.embedder)
            found.append(vectors)
            embedded += new
            self.progress(Step("embedding", done + start + len(few), total))
        return np.concatenate(found), embedded


def _sizes(database: sqlite3.Connection) -> Counter[Partition]:
    """How many vectors each partition will have."""
    batches = chunk_store.batches(database, BATCH)
    return Counter((audience, chunk.language) for batch in batches for _, chunk, audience in batch)


def _check(vectors: VectorIndex, number: int, vector: Vectors) -> None:
    """A chunk must find itself, or, where several say the same, one that is as near."""
    (found,) = vectors.search(vector, 1)
    if number not in found and max(found.values(), default=0.0) < 0.999:
        raise IndexBroken(f"chunk {number} is not found by its own vector")
