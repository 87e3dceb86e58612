"""The dense side of the search: vectors in Chroma by the chunks' numbers. No text is in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import nlargest
from pathlib import Path
from typing import Any, cast

import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.config import Settings

from knowledge.embedding import Vectors

Partition = tuple[int, str]
"""The number of an audience and a language: vectors of one partition lie in a collection of their own."""


class VectorIndex:
    """One Chroma directory. Written by one process once; a reader opens a copy of its own, since opening writes to it.

    Two processes on one directory lose vectors without an error, and Chroma has no mode that only reads. Who may read
    decides which collections are searched: Chroma's own filter takes ten times as long as the search.
    """

    def __init__(self, client: Client, collections: Mapping[Partition, chromadb.Collection]) -> None:
        self._client = client
        self._collections = collections

    @classmethod
    def create(cls, folder: Path, sizes: Mapping[Partition, int]) -> VectorIndex:
        """A new one, for exactly so many vectors in each partition."""
        client = _client(folder)
        return cls(client, {partition: _create(client, partition, size) for partition, size in sizes.items()})

    @classmethod
    def open(cls, folder: Path) -> VectorIndex:
        """One that was written before."""
        client = _client(folder)
        names = [collection.name for collection in client.list_collections()]
        return cls(client, {_partition(name): client.get_collection(name, embedding_function=None) for name in names})

    def add(
        self, numbers: Sequence[int], vectors: Vectors, *, audiences: Sequence[int], languages: Sequence[str]
    ) -> None:
        """Add unit-length vectors, each with its chunk's number and language, and its audience's number."""
        rows: dict[Partition, list[int]] = defaultdict(list)
        for row, partition in enumerate(zip(audiences, languages, strict=True)):
            rows[partition].append(row)
        for partition, some in rows.items():
            self._collections[partition].add(ids=[str(numbers[row]) for row in some], embeddings=vectors[some])

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
        found: list[dict[int, float]] = [{} for _ in queries]
        for collection in self._chosen(audiences, language):
            for known, nearest in zip(found, _nearest(collection, queries, limit), strict=True):
                known.update(nearest)
        return [dict(nlargest(limit, known.items(), key=lambda item: item[1])) for known in found]

    def count(self) -> int:
        """How many vectors there are."""
        return sum(collection.count() for collection in self._collections.values())

    def close(self) -> None:
        """Let go of the directory."""
        self._client.close()

    def _chosen(self, audiences: Collection[int] | None, language: str | None) -> Iterator[chromadb.Collection]:
        for (audience, written_in), collection in self._collections.items():
            if (audiences is None or audience in audiences) and language in (None, written_in):
                yield collection


def _nearest(collection: chromadb.Collection, queries: Vectors, limit: int) -> Iterator[dict[int, float]]:
    found = collection.query(query_embeddings=np.ascontiguousarray(queries), n_results=limit, include=["distances"])
    for numbers, distances in zip(found["ids"], found["distances"] or [], strict=True):
        yield {int(number): 1.0 - distance for number, distance in zip(numbers, distances, strict=True)}


def _create(client: Client, partition: Partition, size: int) -> chromadb.Collection:
    # With its last vector all of them leave the log for the index: what stays in the log is replayed by every reader.
    hnsw: Any = {"space": "cosine", "ef_search": 200, "sync_threshold": max(size, 2)}
    hnsw["batch_size"] = min(100, hnsw["sync_threshold"])
    return client.create_collection(_name(partition), embedding_function=None, configuration={"hnsw": hnsw})


def _name(partition: Partition) -> str:
    audience, language = partition
    return f"{language}-{audience}"


def _partition(name: str) -> Partition:
    language, audience = name.split("-")
    return int(audience), language


def _client(folder: Path) -> Client:
    # Telemetry does nothing in this version; said all the same.
    client = chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
    return cast(Client, client)
