"""Brings what administrators answered into the index: a file, a reindexing, and the word that it is there."""

from __future__ import annotations

import logging
import time
import uuid

import redis

from knowledge import faq
from knowledge.faq import FaqEntry
from knowledge.overview import has_document
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
        """Go on with every answer that the index does not have yet. It bears repetition, and a kill at any point.

        Raises:
            StoreUnavailable
            OSError: a file cannot be written; the answer stays in the store.
        """
        known = self._gaps.known()
        waiting = {number: entry for number, entry in self._gaps.answers().items() if number not in known}
        missing = []
        for number, entry in waiting.items():
            if has_document(self._settings, entry.document_id):
                self._gaps.mark_known(number)
                log.info("gap closed", extra={"topic": number})
            else:
                faq.write(self._settings.faq_path, entry)
                missing.append(entry)
        self._wish_for(missing)

    def _wish_for(self, missing: list[FaqEntry]) -> None:
        """Have the documents read again for answers for which that was not tried just now."""
        now = time.monotonic()
        new = [entry for entry in missing if now >= self._wished.get(entry.name, 0.0)]
        if new and self._runs.wished() is None:
            self._runs.wish(Wish(uuid.uuid4().hex))
            self._wished = {entry.name: now + WISH_AGAIN_S for entry in missing}
