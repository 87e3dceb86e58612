"""Previews: what stands in a thread until its answer takes its place.

Each is noted in the store before it is posted, and until the answer stands there: `slack_previews:{conversation}` has
for the message that is answered where its thread is, who asked, and the post's `ts`, empty as long as it is not known.
So whoever goes on with the answer finds the preview, and who erases the question takes it away.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from bot.errors import DeliveryDeferred, DeliveryFailed, DeliveryUnknown, LockLost
from bot.platform import Journal, Target
from bot.slack.thread import SETTLE_S, Mark, Thread
from bot.slack.web import SlackClient
from bot.store import SEEN_S, store_errors, text

log = logging.getLogger(__name__)


class Previews:
    """The notes of every preview that may be visible."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store

    def note(self, target: Target, ts: str) -> None:
        """Note that a message has, or may soon have, its preview; `ts` as far as it is known."""
        where = {name: target.reply_to[name] for name in ("channel", "thread_ts", "ts", "user")}
        key = _key(target.conversation_id)
        with store_errors(), self._store.pipeline(transaction=True) as together:
            together.hset(key, target.message_id, json.dumps({"where": where, "ts": ts}))
            together.expire(key, SEEN_S)
            together.execute()

    def ts(self, target: Target) -> str | None:
        """As it was noted; None when nothing was."""
        with store_errors():
            noted = self._store.hget(_key(target.conversation_id), target.message_id)
        return str(json.loads(text(noted))["ts"]) if noted else None

    def drop(self, conversation_id: str, message_id: str) -> None:
        """Forget the note: there is no preview, or something else stands there."""
        with store_errors():
            self._store.hdel(_key(conversation_id), message_id)

    def take_away(self, client: SlackClient, conversation_id: str, *, user_id: str, message_ids: Sequence[str]) -> None:
        """Delete the previews that stand under these messages, or under everything of a person.

        Raises:
            DeliveryDeferred: not all of it is done; it may be asked for again.
        """
        with store_errors():
            noted: Any = self._store.hgetall(_key(conversation_id))
        for message_id, facts in noted.items():
            where = json.loads(facts)["where"]
            if message_id in message_ids or user_id == f"slack:{where['user']}":
                _clear(Thread(client, where), message_id)
                self.drop(conversation_id, message_id)


class Preview:
    """The preview of one answer."""

    def __init__(self, previews: Previews, thread: Thread, target: Target, journal: Journal) -> None:
        self._previews = previews
        self._thread = thread
        self._target = target
        self._journal = journal
        self._mark = _mark(target.message_id)

    def show(self, content: Mapping[str, Any]) -> None:
        """Post it, or have the one that an earlier attempt posted say this.

        Raises:
            DeliveryError, StoreUnavailable: it is not shown, or may be.
            LockLost
        """
        if ts := self.ts():
            self._thread.replace(ts, content, self._mark)
            return
        self._previews.note(self._target, "")
        try:
            ts = self._thread.post(content, self._mark)
        except (DeliveryDeferred, DeliveryFailed):
            self.over()
            raise
        self._is_at(ts)

    def ts(self) -> str:
        """Where it stands, settled; empty when there is none.

        Raises:
            DeliveryDeferred: it cannot be found out now.
        """
        noted = self._previews.ts(self._target)
        if noted != "":
            return noted or ""
        found = self._thread.find(self._mark)
        if found:
            self._is_at(found[-1])
        return found[-1] if found else ""

    def over(self) -> None:
        """Something else stands in its place, or it does not stand anywhere."""
        self._previews.drop(self._target.conversation_id, self._target.message_id)

    def _is_at(self, ts: str) -> None:
        try:
            self._journal.check()
        except LockLost:
            self._take_away_unknown(ts)
            raise
        self._previews.note(self._target, ts)

    def _take_away_unknown(self, ts: str) -> None:
        """Delete the post unless the note leads another worker to it.

        Without a note the question was erased while the post was on its way, or answered by somebody who put the answer
        in its place: then it has another mark.
        """
        noted = self._previews.ts(self._target)
        if noted in ("", ts):
            return
        thread = self._thread.unchecked()
        try:
            if ts in thread.find(self._mark):
                thread.delete(ts)
        except (DeliveryDeferred, DeliveryFailed, DeliveryUnknown) as error:
            log.warning("preview not taken away", extra={"platform": "slack", "reason": str(error)})


def _clear(thread: Thread, message_id: str) -> None:
    """Delete what is a preview still."""
    try:
        for ts in thread.find(_mark(message_id)):
            thread.delete(ts)
    except DeliveryUnknown as error:
        raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
    except DeliveryFailed as error:  # the place is closed to us, or the post is gone already
        log.info("preview not taken away", extra={"platform": "slack", "reason": str(error)})


def _mark(message_id: str) -> Mark:
    """Part 0: the answer's own parts begin with 1."""
    return {"message_id": message_id, "part": 0}


def _key(conversation_id: str) -> str:
    return f"slack_previews:{conversation_id}"
