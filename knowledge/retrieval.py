"""The passages that answer a question: what people of an audience may read, nearest first, or nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self

from knowledge import faq, generations
from knowledge.chunking import Limit
from knowledge.documents import Chunk, Document, Passage
from knowledge.embedders import load_embedder
from knowledge.embedding import Embedder, Vectors
from knowledge.fusion import distinct, fuse
from knowledge.index import Index
from knowledge.own import NO_CHUNKS, OwnChunks, Split, chunks_of, floor_for
from knowledge.pointing import only_points
from knowledge.settings import KnowledgeSettings

NEAREST = 3
_CONTEXT_CHARS = 200
"""Of the earlier question; a long one must not push this one out of the embedder's window."""

_LOOKED_AT = 30
"""Candidates that are read; what is near in meaning or words is among them."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What a question found.

    Args:
        passages: the chunks above the floor, best first; empty when the documents do not answer.
        nearest: the best of those below the floor, for naming what comes near.
        generation: the name of the one generation that all of it is from.
        gone: the quoted chunks that the audience does not find in it: deleted, changed, or narrowed to others.
    """

    passages: tuple[Passage, ...]
    nearest: tuple[Passage, ...]
    generation: str
    gone: frozenset[str] = frozenset()


class Retriever:
    """Searches the current index; used by many threads at once."""

    def __init__(self, index: Index, embedder: Embedder) -> None:
        self._index = index
        self._embedder = embedder

    def retrieve(
        self,
        query: str,
        *,
        audience: frozenset[str],
        sources: Collection[str] = (),
        context: Sequence[str] = (),
        own: OwnChunks = NO_CHUNKS,
        quoted: Collection[str] = (),
        limit: int = 3,
    ) -> Retrieval:
        """At most `limit` passages for the query, of documents that one of the audience's labels may read.

        `sources` are the titles of the only ones that are searched, beside what administrators answered themselves;
        none: all of them.
        `context` has the conversation's earlier questions, the newest last: the query is searched alone and joined to
        the newest, so that a follow-up finds its subject and a new subject is not dragged back; the newest is searched
        in the place of a query that only points at it. `own` are searched beside the index, whoever asks. `quoted` are
        the ids of the chunks that the conversation holds already.

        Raises:
            NoIndex: there is no index yet, or it was made by another embedder.
        """
        wordings = _wordings(query, context)
        vectors = self._embedder.encode_query(wordings)
        searched = frozenset([*sources, faq.TITLE]) if sources else frozenset[str]()
        with self._index.generation() as generation:
            floors = generation.floors(wordings[0])
            sides = generation.search(wordings, vectors, audience, searched)
            if own.chunks:
                sides = own.beside(sides, vectors, generation.rarities(wordings), floors)
            candidates = fuse(sides)[:_LOOKED_AT]
            chunks = generation.chunks([candidate.number for candidate in candidates]) | own.numbered()
            gone = frozenset(quoted) - generation.held(quoted, audience, searched) - own.ids
        found: list[Passage] = []
        near: list[Passage] = []
        for candidate in candidates:
            chunk = chunks[candidate.number]
            passes = chunk.id in own.meant or floor_for(floors, chunk.language).passes(candidate)
            (found if passes else near).append(Passage(chunk, candidate.score))
        return Retrieval(_distinct(found, limit), _distinct(near, NEAREST), generation.name, gone)

    @property
    def fingerprint(self) -> str:
        """Names the embedder: own chunks' vectors of another one cannot be searched with its own."""
        return self._embedder.fingerprint

    def split(self, document: Document, pages: Sequence[int], most: int) -> Split:
        """The first chunks of a document that is in no index; see `knowledge.own.chunks_of`."""
        return chunks_of(document, pages, Limit(self._embedder.max_tokens, self._embedder.count_tokens), most)

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        """The chunks' vectors, a row each."""
        return self._embedder.encode_document([chunk.searchable for chunk in chunks])

    def known(self, chunk_ids: Collection[str]) -> frozenset[str]:
        """Those of the ids that are chunks of the newest index, whoever may read them.

        Raises:
            NoIndex: there is none.
        """
        with self._index.generation() as generation:
            return generation.known(chunk_ids)

    def around(self, chunk_id: str, audience: frozenset[str]) -> tuple[Chunk, ...]:
        """A chunk with what stands around it in its document; nothing when the audience does not find it any more.

        Raises:
            NoIndex
        """
        with self._index.generation() as generation:
            return generation.around(chunk_id, audience)

    def follow(self) -> str:
        """Open the newest generation now and let go of the old one, instead of with the next question; its name.

        Raises:
            NoIndex
        """
        return self._index.follow()

    def close(self) -> None:
        """Close the index and delete this process's copy of it."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_retriever(settings: KnowledgeSettings, embedder: Embedder | None = None) -> Retriever:
    """The retriever of the index under DATA_PATH; there need not be one yet.

    Raises:
        EmbeddingFailed: the model that EMBEDDING_MODEL names does not load.
    """
    loaded = embedder or load_embedder(settings)
    return Retriever(Index(settings.index_path, generations.fingerprint(loaded)), loaded)


def _wordings(query: str, context: Sequence[str]) -> list[str]:
    """What is searched, each as a question: the query, and what it leans on."""
    if not context:
        return [query]
    earlier = context[-1][:_CONTEXT_CHARS]
    return [earlier] if only_points(query) else [query, f"{earlier}\n{query}"]


def _distinct(passages: Sequence[Passage], limit: int) -> tuple[Passage, ...]:
    positions = distinct(passage.chunk.text for passage in passages)
    return tuple(passages[position] for position in islice(positions, limit))
