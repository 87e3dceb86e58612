"""What reaches an answer while it is written: a stop, an edit or a deletion of its question, the end of the process."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any, Literal

import redis

from bot.store import store_errors, text
from workers.batch import Batch

POLL_EVERY_S = 0.3
FLAG_LIFE_S = 600
ANY = "*"
"""In place of a message id: whatever is being answered has changed."""

Kind = Literal["stop", "changed", "shutdown"]


class Interrupted(Exception):
    """The answer is not to be finished: its question changed, or the process ends."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)
        self.kind = kind


class Interrupts:
    """Flags in the store, by conversation (`stop`, `changed:{message id}`), and this process's own wish to end."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self.shutdown = threading.Event()

    def stop(self, conversation_id: str, user_id: str, at: float) -> None:
        """End the answer that is being written, whoever asked, and those to what this person said until `at`."""
        with store_errors():
            running = self._store.hget(f"batch:{conversation_id}", "ids")
        stop = {"at": at, "user_id": user_id, "running": json.loads(text(running or "[]"))}
        self._raise(conversation_id, "stop", json.dumps(stop))

    def changed(self, conversation_id: str, message_id: str) -> None:
        """A message says something else now, or is gone."""
        self._raise(conversation_id, f"changed:{message_id}", "1")

    def about(self, batch: Batch) -> Kind | None:
        """What has happened to this batch, if anything. Who asks shows that it does not hang."""
        batch.journal.sign_of_life()
        if self.shutdown.is_set():
            return "shutdown"
        with store_errors():
            stored = self._store.hgetall(f"interrupt:{batch.conversation_id}")
        flags = {text(name): flag for name, flag in stored.items()}
        if flags.keys() & set(_changes(batch)):
            return "changed"
        return "stop" if "stop" in flags and _stops(json.loads(flags["stop"]), batch) else None

    def clear(self, batch: Batch) -> None:
        """Forget that the batch changed: it is begun anew."""
        with store_errors():
            self._store.hdel(f"interrupt:{batch.conversation_id}", *_changes(batch))

    def _raise(self, conversation_id: str, name: str, flag: str) -> None:
        key = f"interrupt:{conversation_id}"
        with store_errors(), self._store.pipeline() as pipeline:
            pipeline.hset(key, name, flag)
            pipeline.expire(key, FLAG_LIFE_S)
            pipeline.execute()


def _changes(batch: Batch) -> list[str]:
    """The flags that mean a change of this batch."""
    return [f"changed:{message_id}" for message_id in (*batch.ids, ANY)]


def _stops(stop: Mapping[str, Any], batch: Batch) -> bool:
    newest = batch.newest
    return stop["at"] >= newest.sent_at and (newest.user_id == stop["user_id"] or newest.id in stop["running"])


class Watch:
    """Looks at the interrupts of one batch, not more often than every POLL_EVERY_S."""

    def __init__(self, interrupts: Interrupts, batch: Batch) -> None:
        self._interrupts = interrupts
        self._batch = batch
        self._next_look = 0.0

    def look(self) -> Kind | None:
        """What has happened since the last look."""
        now = time.monotonic()
        if now < self._next_look:
            return None
        self._next_look = now + POLL_EVERY_S
        return self._interrupts.about(self._batch)
