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

    def add(self, numbers: Sequence[int], vectors: Vectors, audiences: Sequence[int]) -> None:
        """Add unit-length vectors, each with its chunk's number and its audience's."""
        self._collection.add(
            ids=[str(number) for number in numbers],
            embeddings=vectors,
            metadatas=[{"audience": audience} for audience in audiences],
        )

    def search(self, query: Vectors, audiences: Collection[int] | None, limit: int) -> list[dict[int, float]]:
        """For each query vector the nearest chunks of the audiences (None: of all) by number, with their cosine."""
        where: Any = None if audiences is None else {"audience": {"$in": [*audiences]}}
        found = self._collection.query(
            query_embeddings=np.ascontiguousarray(query), n_results=limit, where=where, include=["distances"]
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


def _client(folder: Path) -> Client:
    # Telemetry does nothing in this version; said all the same.
    client = chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
    return cast(Client, client)
