"""Due times of conversations that no worker has: a reply token that dies while its question waits in a queue."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import redis

from bot.errors import DeliveryError, LockLost, StoreUnavailable
from bot.messages import Message, UnreadableRecord
from bot.platform import Sender
from bot.store import store_errors
from workers.batches import Batches
from workers.expecting import expected, heartbeat

log = logging.getLogger(__name__)

WINDOW_S = 12.0
"""A time that is further past was missed: whatever wanted it is dead by now."""
MOST = 500
MOST_TOLD = 10
"""So many are told of the wait before the next look, so that no token dies meanwhile."""
TOLD_AFTER_S = 2.0
"""A question that no worker has taken by then waits in a queue."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A conversation that waits, with its messages, and how many are before it."""

    conversation_id: str
    ready_at: float
    messages: Sequence[Message]
    before: int

    @property
    def since(self) -> float:
        return min(message.sent_at for message in self.messages)


class DueTimes:
    """Sees to it that `ReplyStream.due` is called in time, whoever is busy, and tells once that a question waits.

    A worker calls it for what it holds.
    """

    def __init__(self, store: redis.Redis, batches: Batches, senders: Mapping[str, Sender]) -> None:
        self._store = store
        self._batches = batches
        self._senders = senders
        self._told: frozenset[str] = frozenset()

    def see_to(self, now: float) -> None:
        """Call `due` for every conversation that waits and whose time has come; then tell the new ones of the wait.

        Raises:
            StoreUnavailable
        """
        waiting, replies = self._queue()
        self._told &= {one.messages[-1].id for one in waiting}
        wanted = [(self._wants(one, now), one) for one in waiting]
        for one in (one for want, one in wanted if want == "due"):
            self._call_softly(one, replies, now, is_due=True)
        for one in [one for want, one in wanted if want == "told"][:MOST_TOLD]:
            self._call_softly(one, replies, now, is_due=False)

    def _queue(self) -> tuple[list[Queued], str | None]:
        """The conversations that nobody holds, in the order in which they were asked, and the replies' heartbeat."""
        with store_errors(), self._store.pipeline(transaction=False) as first:
            first.zrange("ready", 0, MOST - 1, withscores=True)
            first.get("status:replies")
            ready, replies = first.execute()
        with store_errors(), self._store.pipeline(transaction=False) as together:
            for conversation_id, _ in ready:
                together.exists(f"lock:{conversation_id}")
                together.hvals(f"messages:{conversation_id}")
            found = together.execute()
        unheld = [
            Queued(conversation_id, ready_at, readable, 0)
            for (conversation_id, ready_at), held, stored in zip(ready, found[::2], found[1::2], strict=True)
            if not held and (readable := _readable(stored))
        ]
        unheld.sort(key=lambda one: one.since)
        return [Queued(o.conversation_id, o.ready_at, o.messages, before) for before, o in enumerate(unheld)], replies

    def _wants(self, one: Queued, now: float) -> str:
        """`due` where a time has come, `told` where who asks does not know yet that it waits; else nothing."""
        try:
            ways = [(self._senders[m.platform], m.reply_to) for m in one.messages if m.platform in self._senders]
            times = [at for sender, reply_to in ways if (at := sender.due_at(reply_to)) is not None]
        except StoreUnavailable:
            raise
        except Exception:  # of another shape than anybody foresaw
            log.exception("due time failed")
            return ""
        if any(at <= now <= at + WINDOW_S for at in times):
            return "due"
        is_new = one.messages[-1].id not in self._told and now - one.since >= TOLD_AFTER_S
        return "told" if is_new and any(now < at for at in times) else ""

    def _call_softly(self, one: Queued, replies: str | None, now: float, *, is_due: bool) -> None:
        self._told |= {one.messages[-1].id}
        try:
            self._call(one, replies, now, is_due=is_due)
        except StoreUnavailable:
            raise
        except Exception:  # one that nobody foresaw must not cost the others their times
            log.exception("due time failed")

    def _call(self, one: Queued, replies: str | None, now: float, *, is_due: bool) -> None:
        batch = self._batches.take(one.conversation_id, only_to_look=True)
        if batch is None:  # a worker has it, and sees to it
            return
        try:
            with self._batches.holding(batch):
                stream = self._senders[batch.newest.platform].open(batch.target, batch.journal)
                waited_s = now - one.since
                stream.waiting(expected(heartbeat(replies), one.before, waited_s, batch.target.language))
                if is_due:
                    stream.due(now)
        except (DeliveryError, LockLost) as error:
            log.warning("due time missed", extra={"reason": str(error)})
        finally:
            self._batches.hand_back(batch, after_s=max(0.0, one.ready_at - now), forgive=False)


def _readable(stored: Sequence[str]) -> list[Message]:
    """The messages, oldest first; none where one is for a worker of a newer version."""
    try:
        return sorted(map(Message.from_json, stored), key=lambda message: message.sent_at)
    except UnreadableRecord:
        return []
