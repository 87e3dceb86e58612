"""Due times of conversations that no worker has: a reply token that dies while its question waits in a queue."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import redis

from bot.errors import DeliveryError, LockLost, StoreUnavailable
from bot.messages import Message, UnreadableRecord
from bot.platform import Sender
from bot.store import store_errors
from workers.batches import Batches

log = logging.getLogger(__name__)

WINDOW_S = 12.0
"""A time that is further past was missed: whatever wanted it is dead by now."""
MOST = 500


class DueTimes:
    """Sees to it that `ReplyStream.due` is called in time, whoever is busy. A worker calls it for what it holds."""

    def __init__(self, store: redis.Redis, batches: Batches, senders: Mapping[str, Sender]) -> None:
        self._store = store
        self._batches = batches
        self._senders = senders

    def see_to(self, now: float) -> None:
        """Call `due` for every conversation that waits and whose time has come.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            waiting = self._store.zrange("ready", 0, MOST - 1)
        for conversation_id in map(str, waiting):
            try:
                if self._has_come(conversation_id, now):
                    self._call(conversation_id, now)
            except StoreUnavailable:
                raise
            except Exception:  # one that nobody foresaw must not cost the others their times
                log.exception("due time failed")

    def _has_come(self, conversation_id: str, now: float) -> bool:
        with store_errors():
            stored = self._store.hvals(f"messages:{conversation_id}")
        try:
            messages = [Message.from_json(message) for message in stored]
        except UnreadableRecord:  # for a worker of a newer version
            return False
        times = (self._senders[m.platform].due_at(m.reply_to) for m in messages if m.platform in self._senders)
        return any(at is not None and at <= now <= at + WINDOW_S for at in times)

    def _call(self, conversation_id: str, now: float) -> None:
        with store_errors():
            ready_at = self._store.zscore("ready", conversation_id) or now
        batch = self._batches.take(conversation_id, only_to_look=True)
        if batch is None:  # a worker has it, and sees to it
            return
        try:
            with self._batches.holding(batch):
                self._senders[batch.newest.platform].open(batch.target, batch.journal).due(now)
        except (DeliveryError, LockLost) as error:
            log.warning("due time missed", extra={"reason": str(error)})
        finally:
            self._batches.hand_back(batch, after_s=max(0.0, ready_at - now), forgive=False)
