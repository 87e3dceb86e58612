"""The dense side of the search: vectors in Chroma by the chunks' numbers. No text is in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast

import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.config import Settings

from knowledge.embedding import Vectors

_NAME = "chunks"


class VectorIndex:
    """One Chroma directory. Written by one process once; a reader opens a copy of its own, since opening writes to it.

    Two processes on one directory lose vectors without an error, and Chroma has no mode that only reads.
    """

    def __init__(self, client: Client, collection: chromadb.Collection) -> None:
        self._client = client
        self._collection = collection

    @classmethod
    def create(cls, folder: Path, capacity: int) -> VectorIndex:
        """A new one, for exactly `capacity` vectors: with the last one all of them leave the log for the index.

        What stays in the log is replayed by every reader.
        """
        hnsw: Any = {"space": "cosine", "ef_search": 200, "sync_threshold": max(capacity, 2)}
        hnsw["batch_size"] = min(100, hnsw["sync_threshold"])
        client = _client(folder)
        return cls(client, client.create_collection(_NAME, embedding_function=None, configuration={"hnsw": hnsw}))

    @classmethod
    def open(cls, folder: Path) -> VectorIndex:
        """One that was written before."""
        client = _client(folder)
        return cls(client, client.get_collection(_NAME, embedding_function=None))

    def add(
        self, numbers: Sequence[int], vectors: Vectors, *, audiences: Sequence[int], languages: Sequence[str]
    ) -> None:
        """Add unit-length vectors, each with its chunk's number and language, and its audience's number."""
        self._collection.add(
            ids=[str(number) for number in numbers],
            embeddings=vectors,
            metadatas=[
                {"audience": audience, "language": language}
                for audience, language in zip(audiences, languages, strict=True)
            ],
        )

    def search(
        self,
        queries: Vectors,
        limit: int,
        *,
        audiences: Collection[int] | None = None,
        language: str | None = None,
    ) -> list[dict[int, float]]:
        """For each query vector the nearest chunks by number, with their cosine.

        Only those of the audiences and in the language, where given.
        """
        where = _all_of(
            [{"audience": {"$in": [*audiences]}}] if audiences is not None else [],
            [{"language": language}] if language is not None else [],
        )
        found = self._collection.query(
            query_embeddings=np.ascontiguousarray(queries), n_results=limit, where=where, include=["distances"]
        )
        return [
            {int(number): 1.0 - distance for number, distance in zip(numbers, distances, strict=True)}
            for numbers, distances in zip(found["ids"], found["distances"] or [], strict=True)
        ]

    def count(self) -> int:
        """How many vectors there are."""
        return self._collection.count()

    def close(self) -> None:
        """Let go of the directory."""
        self._client.close()


def _all_of(*conditions: list[Any]) -> Any:
    """Chroma's filter for all conditions; it takes an `$and` of two or more only."""
    given = [condition for some in conditions for condition in some]
    return {"$and": given} if len(given) > 1 else given[0] if given else None


def _client(folder: Path) -> Client:
    # Telemetry does nothing in this version; said all the same.
    client = chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
    return cast(Client, client)
