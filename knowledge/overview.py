"""What there is, for the operator: the generation that answers, and what each source has in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass

from knowledge import chunk_store, generations, reindex_lock
from knowledge.generations import LEXICAL
from knowledge.report import SourceOverview
from knowledge.settings import KnowledgeSettings


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of the index.

    Args:
        generation: the one that answers; empty when there is none, or none that this version reads.
        made_at: seconds since the epoch.
        before: the one that a rollback leads to; None when there is none.
        running: whether the index is being changed at this moment.
        sources: as the one that answers has them, in the order of `madoguchi.toml`.
    """

    generation: str
    made_at: float
    documents: int
    chunks: int
    before: str | None
    running: bool
    sources: tuple[SourceOverview, ...]


def overview(settings: KnowledgeSettings) -> Overview:
    """The state of the index under DATA_PATH."""
    answering = generations.answering(settings.index_path)
    return Overview(
        generation=answering.name if answering else "",
        made_at=answering.manifest.made_at if answering else 0.0,
        documents=answering.manifest.documents if answering else 0,
        chunks=answering.manifest.chunks if answering else 0,
        before=generations.before(settings.index_path),
        running=reindex_lock.is_running(settings.index_path),
        sources=answering.manifest.sources if answering else (),
    )


def chunks_of(settings: KnowledgeSettings, document_id: str) -> frozenset[str]:
    """The ids of the chunks that the generation which answers has of this document; none when it does not have it."""
    answering = generations.answering(settings.index_path)
    if answering is None:
        return frozenset()
    try:
        with closing(chunk_store.open_for_reading(settings.index_path / answering.name / LEXICAL)) as database:
            return chunk_store.of_document(database, document_id)
    except (FileNotFoundError, sqlite3.DatabaseError):  # replaced at this moment, or damaged
        return frozenset()
