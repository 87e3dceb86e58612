"""A new generation of the index from the sources: whole or not at all, and only new text is embedded."""

from __future__ import annotations

import fcntl
import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge import chunk_store, generations, lexical
from knowledge.calibration import Floors, calibrate
from knowledge.chunking import Limit, split
from knowledge.copies import remove_abandoned
from knowledge.documents import Skipped
from knowledge.embedding import Embedder, Vectors, load_embedder
from knowledge.errors import IndexBroken, NoIndex, ReindexRunning, SourceEmpty
from knowledge.generations import LEXICAL, VECTORS, Manifest
from knowledge.loading import load
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Source, load_sources
from knowledge.vector_cache import VectorCache
from knowledge.vectors import VectorIndex

log = logging.getLogger(__name__)

BATCH = 32
"""Chunks in memory at a time, and lost to a kill at most."""

Progress = Callable[[int, int], None]
"""Called with the chunks done and all chunks, after every batch."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a reindexing did: `changed` is False when the sources say what the index says, and nothing was written."""

    generation: str
    documents: int
    chunks: int
    embedded: int
    skipped: tuple[Skipped, ...]
    changed: bool


def reindex(
    settings: KnowledgeSettings,
    *,
    sources: Sequence[Source] | None = None,
    embedder: Embedder | None = None,
    progress: Progress = lambda done, total: None,
    allow_empty: bool = False,
) -> Report:
    """Bring the index up to what the sources say; the old one answers until the new one is complete.

    Killed at any point it leaves the old index, and the next call goes on with the vectors computed so far.

    Raises:
        ReindexRunning: another process is at it.
        SourceEmpty: a source has no document, and `allow_empty` is not set.
        SourcesMalformed, EmbeddingFailed, IndexBroken
    """
    chosen = load_sources(settings) if sources is None else sources
    model = embedder or load_embedder(settings)
    with _one_at_a_time(settings.index_path), closing(VectorCache(settings.index_path / "cache.sqlite")) as cache:
        report = _reindex(settings.index_path, chosen, model, cache=cache, progress=progress, allow_empty=allow_empty)
        generations.remove_old(settings.index_path)
        remove_abandoned(settings.index_path / "readers")
    log.info("reindexed", extra={"generation": report.generation, "chunks": report.chunks, "changed": report.changed})
    return report


def _reindex(
    index_path: Path,
    sources: Sequence[Source],
    embedder: Embedder,
    *,
    cache: VectorCache,
    progress: Progress,
    allow_empty: bool,
) -> Report:
    folder = generations.draft(index_path)
    with closing(sqlite3.connect(folder / LEXICAL, isolation_level=None)) as database:
        skipped = _stage(database, sources, embedder, allow_empty=allow_empty)
        manifest = _describe(database, embedder)
        if answering := _already_answering(index_path, manifest):
            shutil.rmtree(folder)
            return Report(answering, manifest.documents, manifest.chunks, 0, skipped, changed=False)
        embedded, floors = _fill(database, folder, embedder, cache, progress)
        cache.keep_only(_texts(database), embedder)
    replace(manifest, floors=floors).write(folder)
    return Report(generations.publish(folder), manifest.documents, manifest.chunks, embedded, skipped, changed=True)


def _stage(
    database: sqlite3.Connection, sources: Sequence[Source], embedder: Embedder, *, allow_empty: bool
) -> tuple[Skipped, ...]:
    """Put all chunks of all sources into the draft; what was skipped."""
    limit = Limit(embedder.max_tokens, embedder.count_tokens)
    skipped: list[Skipped] = []
    chunk_store.create(database)
    lexical.create(database)
    with _transaction(database):
        for source in sources:
            before = chunk_store.count(database)
            skipped += _stage_source(database, source, limit)
            if chunk_store.count(database) == before and not allow_empty:
                raise SourceEmpty(f"{source.path} has no document; the index stays as it is")
    return tuple(skipped)


def _stage_source(database: sqlite3.Connection, source: Source, limit: Limit) -> list[Skipped]:
    skipped = []
    for item in load(source):
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            chunk_store.add(database, split(item, limit))
    return skipped


def _describe(database: sqlite3.Connection, embedder: Embedder) -> Manifest:
    return Manifest(
        fingerprint=generations.fingerprint(embedder),
        digest=chunk_store.digest(database),
        documents=chunk_store.documents(database),
        chunks=chunk_store.count(database),
        floors={},
    )


def _already_answering(index_path: Path, manifest: Manifest) -> str | None:
    """The generation that answers now, if it says what the draft says."""
    name = generations.current(index_path)
    if name is None:
        return None
    try:
        answering = Manifest.read(index_path / name)
    except (FileNotFoundError, NoIndex):
        return None
    same = (answering.fingerprint, answering.digest) == (manifest.fingerprint, manifest.digest)
    return name if same else None


def _fill(
    database: sqlite3.Connection, folder: Path, embedder: Embedder, cache: VectorCache, progress: Progress
) -> tuple[int, Floors]:
    """Make the draft's chunks searchable on both sides and measure its floors; how many vectors were computed."""
    total, done, embedded = chunk_store.count(database), 0, 0
    with closing(VectorIndex.create(folder / VECTORS, total)) as vectors, _transaction(database):
        for batch in chunk_store.batches(database, BATCH):
            numbers, chunks, audiences = zip(*batch, strict=True)
            encoded, new = cache.encode_document([chunk.searchable for chunk in chunks], embedder)
            languages = [chunk.language for chunk in chunks]
            vectors.add(numbers, encoded, audiences=audiences, languages=languages)
            lexical.add(database, zip(numbers, chunks, strict=True))
            _check(vectors, numbers[0], encoded[:1])
            embedded, done = embedded + new, done + len(batch)
            progress(done, total)
        if vectors.count() != total:
            raise IndexBroken(f"{vectors.count()} vectors of {total} chunks were kept")
        return embedded, calibrate(database, vectors, embedder)


def _check(vectors: VectorIndex, number: int, vector: Vectors) -> None:
    """A chunk must find itself, or, where several say the same, one that is as near."""
    (found,) = vectors.search(vector, 1)
    if number not in found and max(found.values(), default=0.0) < 0.999:
        raise IndexBroken(f"chunk {number} is not found by its own vector")


def _texts(database: sqlite3.Connection) -> Iterator[str]:
    return (chunk.searchable for batch in chunk_store.batches(database, BATCH) for _, chunk, _ in batch)


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All writes of the block, or none."""
    database.execute("BEGIN")
    with database:
        yield


@contextmanager
def _one_at_a_time(index_path: Path) -> Iterator[None]:
    """Keep other processes from reindexing; the lock ends with the process, however it ends.

    Raises:
        ReindexRunning: another process has it.
    """
    index_path.mkdir(parents=True, exist_ok=True)
    with (index_path / "reindex.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ReindexRunning("another reindexing is under way") from error
        yield
