"""The chunks of all sources, read and split into the draft of a generation, before anything is embedded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from knowledge import chunk_store
from knowledge.chunking import Limit, split
from knowledge.documents import Chunk, Document, Skipped
from knowledge.errors import SourceEmpty
from knowledge.loading import load
from knowledge.report import Progress, SourceOverview, Step
from knowledge.sources import Source
from knowledge.transaction import transaction


def stage(
    database: sqlite3.Connection,
    sources: Sequence[Source],
    limit: Limit,
    *,
    web: Path,
    progress: Progress,
    allow_empty: bool,
) -> tuple[SourceOverview, ...]:
    """Put the chunks of every source into a draft's database; what was there to read.

    Args:
        web: the folder for what is fetched from websites.

    Raises:
        SourceEmpty: a source has no document that can be read, and `allow_empty` is not set.
    """
    chunk_store.create(database)
    staging = _Staging(database, limit, web, progress)
    with transaction(database):
        overviews = [staging.read(source) for source in sources]
    empty = next((overview for overview in overviews if not overview.documents), None)
    if empty and not allow_empty:
        raise SourceEmpty(f"{empty.where} has no document that can be read{_why(empty)}; the index stays as it is")
    return tuple(overviews)


class _Staging:
    """Reads one source after the other, and tells how many documents that makes."""

    def __init__(self, database: sqlite3.Connection, limit: Limit, web: Path, progress: Progress) -> None:
        self._database = database
        self._limit = limit
        self._web = web
        self._progress = progress
        self._documents = 0

    def read(self, source: Source) -> SourceOverview:
        """Put the chunks of the source into the database; what was there to read."""
        chunks, documents = chunk_store.count(self._database), self._documents
        skipped = []
        for item in load(source, self._web, tick=self._tell):
            if isinstance(item, Skipped):
                skipped.append(Skipped(_writable(item.path), item.reason))
            else:
                chunk_store.add(self._database, self._chunks(item), source.title)
                self._documents += 1
            self._tell()
        return SourceOverview(
            kind=source.kind,
            where=_writable(source.where),
            title=source.title,
            audience=tuple(sorted(source.audience)),
            documents=self._documents - documents,
            chunks=chunk_store.count(self._database) - chunks,
            skipped=tuple(skipped),
        )

    def _chunks(self, document: Document) -> Iterator[Chunk]:
        for chunk in split(document, self._limit):
            yield chunk
            self._tell()  # one document may be a book

    def _tell(self) -> None:
        self._progress(Step("reading", self._documents, 0))


def _why(empty: SourceOverview) -> str:
    first = next(iter(empty.skipped), None)
    return f" ({first.path}: {first.reason})" if first else ""


def _writable(name: str) -> str:
    """The name of a file; on Linux it may be bytes that are no text."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
