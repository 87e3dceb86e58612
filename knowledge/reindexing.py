"""A new generation of the index from the sources: whole or not at all, and only new text is embedded."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from chromadb.errors import ChromaError

from knowledge import chunk_store, generations
from knowledge.chunking import Limit
from knowledge.copies import remove_abandoned
from knowledge.embedders import load_embedder
from knowledge.embedding import Embedder
from knowledge.errors import GoldenWorse, IndexNotWritten
from knowledge.examination import Examination
from knowledge.filling import Filling
from knowledge.generations import LEXICAL, VECTORS, Answering, Manifest
from knowledge.golden import GoldenQuestion, load_questions
from knowledge.reindex_lock import one_at_a_time
from knowledge.report import GoldenReport, Progress, Report, SourceOverview, Step
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Source, load_sources
from knowledge.staging import stage
from knowledge.vector_cache import VectorCache
from knowledge.web.website import forget_others

log = logging.getLogger(__name__)


def _tell_nobody(_: Step) -> None:
    """For who does not want to know."""


def reindex(
    settings: KnowledgeSettings,
    *,
    sources: Sequence[Source] | None = None,
    embedder: Embedder | None = None,
    progress: Progress = _tell_nobody,
    allow_empty: bool = False,
    accept: bool = False,
    dry_run: bool = False,
) -> Report:
    """Bring the index up to what the sources say; the old one answers until the new one is complete.

    Killed or broken off at any point it leaves the old index, and the next call goes on with the vectors computed so
    far. With `dry_run` it only says what it would do.

    Raises:
        ReindexRunning: another process is at it.
        SourceEmpty: a source has no document, and `allow_empty` is not set.
        GoldenWorse: golden questions would not be answered any more, and `accept` is not set.
        SourcesMalformed, GoldenMalformed, EmbeddingFailed, IndexBroken, IndexNotWritten
    """
    reindexing = _Reindexing(
        index_path=settings.index_path,
        web_path=settings.web_path,
        sources=load_sources(settings) if sources is None else sources,
        questions=load_questions(settings.golden),
        embedder=embedder or load_embedder(settings),
        progress=progress,
    )
    with _writing_errors(), one_at_a_time(settings.index_path):
        with reindexing.draft(allow_empty=allow_empty) as draft:
            report = reindexing.rehearse(draft) if dry_run else reindexing.bring_up(draft, accept=accept)
        remove_abandoned(settings.index_path / "readers")
    generations.remove_old(settings.index_path)
    facts = {"generation": report.generation, "chunks": report.chunks, "changed": report.changed, "dry_run": dry_run}
    log.info("reindexed", extra=facts)
    return report


def rollback(settings: KnowledgeSettings, *, embedder: Embedder | None = None) -> str:
    """Have the generation before answer again; its name. The one that answered is deleted.

    Raises:
        NothingBefore: there is none, or another embedder or version made it.
        ReindexRunning: the index is being changed.
        EmbeddingFailed, IndexNotWritten
    """
    readable = generations.fingerprint(embedder or load_embedder(settings))
    with _writing_errors(), one_at_a_time(settings.index_path):
        name = generations.step_back(settings.index_path, readable)
    log.info("rolled back", extra={"generation": name})
    return name


@dataclass(frozen=True, slots=True)
class _Draft:
    """A generation that has its chunks and nothing else yet.

    Args:
        answering: the generation whose place it is to take; None before the first.
        added, removed: the chunks that the answering one does not have, and those that only that one has.
    """

    folder: Path
    database: sqlite3.Connection
    manifest: Manifest
    answering: Answering | None
    added: int
    removed: int

    @property
    def changed(self) -> bool:
        """Whether it says anything else than the generation that answers."""
        if self.answering is None:
            return True
        old, new = self.answering.manifest, self.manifest
        return (old.fingerprint, old.digest) != (new.fingerprint, new.digest)

    def texts(self) -> Iterator[str]:
        """What is to have a vector."""
        pages = chunk_store.batches(self.database, 1_000)
        return (chunk.searchable for page in pages for _, chunk, _ in page)

    def report(self, *, embedded: int = 0) -> Report:
        """What is told of it; as long as it is not published the answering one is named."""
        return Report(
            generation=self.answering.name if self.answering else "",
            documents=self.manifest.documents,
            chunks=self.manifest.chunks,
            embedded=embedded,
            added=self.added,
            removed=self.removed,
            skipped=tuple(skipped for source in self.manifest.sources for skipped in source.skipped),
            changed=self.changed,
        )


@dataclass(frozen=True, slots=True)
class _Reindexing:
    """One reindexing, by its stages."""

    index_path: Path
    web_path: Path
    sources: Sequence[Source]
    questions: Sequence[GoldenQuestion]
    embedder: Embedder
    progress: Progress

    @contextmanager
    def draft(self, *, allow_empty: bool) -> Iterator[_Draft]:
        """The chunks of all sources, until the block ends.

        Raises:
            SourceEmpty: a source has no document, and `allow_empty` is not set.
        """
        limit = Limit(self.embedder.max_tokens, self.embedder.count_tokens)
        answering = generations.answering(self.index_path)
        with generations.draft(self.index_path) as folder, closing(_connect(folder / LEXICAL)) as database:
            sources = stage(
                database, self.sources, limit, web=self.web_path, progress=self.progress, allow_empty=allow_empty
            )
            added, removed = self._difference(database, answering)
            yield _Draft(folder, database, self._manifest(database, sources), answering, added, removed)

    def rehearse(self, draft: _Draft) -> Report:
        """What bringing up the index to the draft would do."""
        with self._cache() as cache:
            missing = cache.count_missing(draft.texts(), self.embedder) if draft.changed else 0
        return replace(draft.report(embedded=missing), dry_run=True)

    def bring_up(self, draft: _Draft, *, accept: bool) -> Report:
        """Have the draft answer, if it says anything new.

        Raises:
            GoldenWorse: golden questions would not be answered any more, and `accept` is not set.
            IndexBroken: it does not find its own chunks.
        """
        with self._cache() as cache:
            if not draft.changed:
                self._keep(draft)
                report = draft.report()
            else:
                embedded, golden = self._complete(draft, cache)
                if golden and golden.worse and not accept:
                    raise GoldenWorse(golden.worse)
                report = replace(draft.report(embedded=embedded), golden=golden)
            cache.keep_only(draft.texts(), self.embedder)
        forget_others(self.web_path, self.sources)
        return replace(report, generation=generations.publish(draft.folder)) if draft.changed else report

    def _complete(self, draft: _Draft, cache: VectorCache) -> tuple[int, GoldenReport | None]:
        """Make the draft searchable and ask it the golden questions; vectors computed, and what it answers."""
        filling = Filling(self.embedder, cache, self.progress)
        embedded, floors = filling.fill(draft.database, draft.folder / VECTORS)
        manifest = replace(draft.manifest, floors=floors)
        manifest.write(draft.folder)
        examination = Examination(self.index_path, self.embedder, self.questions, self.progress)
        golden, right = examination.of(draft.folder, draft.answering)
        replace(manifest, golden=tuple(question.key for question in right)).write(draft.folder)
        return embedded, golden

    def _keep(self, draft: _Draft) -> None:
        """Note in the generation that goes on answering what of the sources is not in it now."""
        answering = draft.answering
        if answering and answering.manifest.sources != draft.manifest.sources:
            replace(answering.manifest, sources=draft.manifest.sources).write(self.index_path / answering.name)

    def _difference(self, database: sqlite3.Connection, answering: Answering | None) -> tuple[int, int]:
        """How many chunks are new, and how many are gone."""
        if answering is None:
            return chunk_store.count(database), 0
        try:
            return chunk_store.difference(database, self.index_path / answering.name / LEXICAL)
        except sqlite3.DatabaseError:  # another version's, or damaged: all of it is replaced
            return chunk_store.count(database), answering.manifest.chunks

    def _manifest(self, database: sqlite3.Connection, sources: tuple[SourceOverview, ...]) -> Manifest:
        return Manifest(
            fingerprint=generations.fingerprint(self.embedder),
            digest=chunk_store.digest(database),
            made_at=time.time(),
            documents=chunk_store.documents(database),
            chunks=chunk_store.count(database),
            floors={},
            sources=sources,
        )

    def _cache(self) -> closing[VectorCache]:
        return closing(VectorCache(self.index_path / "cache.sqlite"))


@contextmanager
def _writing_errors() -> Iterator[None]:
    """What the disk refuses, in words of our own: SQLite and Chroma have a kind of error each."""
    try:
        yield
    except (OSError, sqlite3.Error, ChromaError) as error:
        raise IndexNotWritten(f"the index cannot be written: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    """A draft's database; it takes addresses, for looking into another one beside."""
    return sqlite3.connect(path.resolve().as_uri(), uri=True, isolation_level=None)
