"""Tells who asked that there is an answer now, in the conversation where they asked."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import redis

from bot.capabilities import Admits, Keeps
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed
from bot.journal import UnlockedJournal
from bot.platform import Sender, Target
from bot.sanitise import sanitise
from bot.store import store_errors
from knowledge.faq import FaqEntry
from workers.gaps.gap import Gap, Topic, told_as
from workers.gaps.gaps import Gaps
from workers.phrases import phrase

log = logging.getLogger(__name__)

JOURNAL_LIFE_S = 24 * 3600
CLAIM_S = 60
"""Longer than telling one person takes. Of several clerks one tells; after a kill another goes on with its journal."""
AGAIN_AFTER_S = 30.0
QUOTED_CHARS = 100


@dataclass(frozen=True, slots=True)
class Indexed:
    """An answer that the index has, and in which chunks."""

    entry: FaqEntry
    chunk_ids: frozenset[str]


class Telling:
    """Tells askers, once each. Where telling costs (LINE) it waits for the conversation's next free token."""

    def __init__(self, store: redis.Redis, senders: Mapping[str, Sender]) -> None:
        self._store = store
        self._gaps = Gaps(store)
        self._senders = senders
        self._not_before: dict[str, float] = {}

    def tell(self) -> None:
        """Tell everybody whose answer the index has, and be done with what was told.

        Raises:
            StoreUnavailable
        """
        indexed = self._gaps.indexed()
        if not indexed:
            return
        answers, topics = self._gaps.answers(), {topic.number: topic for topic in self._gaps.topics()}
        for number, chunks in indexed.items():
            if number in answers and number in topics:
                self._tell_all(topics[number], Indexed(answers[number], chunks))
            else:
                self._gaps.close(number)

    def _tell_all(self, topic: Topic, answer: Indexed) -> None:
        left = list(topic.gaps)
        for gap in topic.gaps:
            if gap in left and self._is_done(gap, answer):
                done = [one for one in left if gap.user_id == one.user_id or gap.conversation_id == one.conversation_id]
                self._gaps.drop(done)
                left = [one for one in left if one not in done]

    def _is_done(self, gap: Gap, answer: Indexed) -> bool:
        """Whether the asker was told, or cannot be."""
        sender = self._senders.get(gap.platform)
        if sender is None or time.monotonic() < self._not_before.get(gap.id, 0.0) or not self._claim(gap):
            return False
        if isinstance(sender, Admits) and not sender.admits(gap.conversation_id):
            log.info("asker not told", extra={"platform": gap.platform, "reason": "not let in any more"})
            return True
        if not answer.entry.audience & sender.audience(gap.reply_to):
            log.info("asker not told", extra={"platform": gap.platform, "reason": "audience"})
            return True
        try:
            self._say(gap, answer, sender)
        except DeliveryFailed as error:  # the place is gone, or the bot has been shut out
            log.warning("asker not told", extra={"platform": gap.platform, "reason": str(error)})
        except DeliveryError as error:
            wait_s = error.retry_after_s if isinstance(error, DeliveryDeferred) else None
            self._not_before[gap.id] = time.monotonic() + (wait_s or AGAIN_AFTER_S)
            self._release(gap)
            return False
        self._release(gap)
        return True

    def _say(self, gap: Gap, answer: Indexed, sender: Sender) -> None:
        target = Target(told_as(gap.id), gap.conversation_id, gap.language, gap.reply_to)
        journal = UnlockedJournal(self._store, f"telling:{gap.id}", JOURNAL_LIFE_S)
        if isinstance(sender, Keeps):  # it may wait there, and then goes with its document
            self._gaps.note_told(target.message_id, answer.chunk_ids)
        sender.confirm(target, words(gap, answer.entry), journal)
        if not self._gaps.has(gap.id):  # erased meanwhile: nothing that was kept of it may stay
            sender.erase(gap.conversation_id, message_ids=[target.message_id])
        self._not_before.pop(gap.id, None)
        log.info("asker told", extra={"platform": gap.platform})

    def _claim(self, gap: Gap) -> bool:
        with store_errors():
            return bool(self._store.set(f"claim:{gap.id}", "1", nx=True, ex=CLAIM_S))

    def _release(self, gap: Gap) -> None:
        with store_errors():
            self._store.delete(f"claim:{gap.id}")


def words(gap: Gap, entry: FaqEntry) -> str:
    """What the asker reads: the question in their own words, the answer, and where it stands."""
    asked = gap.question if len(gap.question) <= QUOTED_CHARS else gap.question[:QUOTED_CHARS] + "…"
    answer = sanitise(entry.answer, [entry.answer])
    return phrase("gap_told", gap.language, asked=sanitise(asked), answer=answer, title=sanitise(entry.question))
