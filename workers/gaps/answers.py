"""Brings what administrators answered into the index: a file, a reindexing, and the word that it is there."""

from __future__ import annotations

import logging
import time
import uuid

import redis

from knowledge import faq
from knowledge.faq import FaqEntry
from knowledge.overview import chunks_of
from knowledge.settings import KnowledgeSettings
from workers.gaps.gaps import Gaps
from workers.runs import Runs, Wish

log = logging.getLogger(__name__)

WISH_AGAIN_S = 600.0
"""After a reindexing that did not bring an answer in (another document was in its way)."""


class Publishing:
    """Publishes answers. The index is the truth: when any reindexing has brought an answer in, its askers are told."""

    def __init__(self, store: redis.Redis, settings: KnowledgeSettings) -> None:
        self._gaps = Gaps(store)
        self._runs = Runs(store)
        self._settings = settings
        self._wished: dict[str, float] = {}

    def publish(self) -> None:
        """Go on with every answer of which not all askers were told. It bears repetition, and a kill at any point.

        Whoever deletes an answer's file before that takes the answer back: its question is open again.

        Raises:
            StoreUnavailable
            OSError: a file cannot be written; the answer stays in the store.
        """
        indexed = self._gaps.indexed()
        missing = []
        for number, entry in self._gaps.answers().items():
            standing = self._standing(number, entry)
            if standing is None:
                self._gaps.close(number)
                log.info("gap answer taken back", extra={"topic": number})
                continue
            chunks = chunks_of(self._settings, standing.document_id)
            if chunks != indexed.get(number, frozenset()):
                self._gaps.mark_indexed(number, chunks)
                log.info("gap answer indexed", extra={"topic": number, "chunks": len(chunks)})
            if not chunks:
                missing.append(standing)
        self._wish_for(missing)

    def _standing(self, number: int, entry: FaqEntry) -> FaqEntry | None:
        """The answer as its file stands, which is written once; None when it was deleted since."""
        if not self._gaps.is_written(number):
            faq.write(self._settings.faq_path, entry)
            self._gaps.mark_written(number)
            return entry
        standing = faq.find(self._settings.faq_path, entry)
        if standing and standing != entry:
            self._gaps.correct(number, standing)
        return standing

    def _wish_for(self, missing: list[FaqEntry]) -> None:
        """Have the documents read again for answers for which that was not tried just now."""
        now = time.monotonic()
        new = [entry for entry in missing if now >= self._wished.get(entry.name, 0.0)]
        if new and self._runs.wished() is None:
            self._runs.wish(Wish(uuid.uuid4().hex))
            self._wished = {entry.name: now + WISH_AGAIN_S for entry in missing}
