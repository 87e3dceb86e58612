"""What reaches an answer while it is written: a stop, an edit or a deletion of its question, the end of the process."""

from __future__ import annotations

import json
import threading
import time
from typing import Literal

import redis

from bot.store import store_errors, text
from workers.batches import Batch

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
    """Flags in the store, one a conversation, and this process's own wish to end."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self.shutdown = threading.Event()

    def stop(self, conversation_id: str, at: float) -> None:
        """End the answers to what was said until `at` (the platform's time)."""
        self._raise(conversation_id, {"kind": "stop", "at": at})

    def changed(self, conversation_id: str, message_id: str) -> None:
        """A message says something else now, or is gone."""
        self._raise(conversation_id, {"kind": "changed", "message_id": message_id})

    def about(self, batch: Batch) -> Kind | None:
        """What has happened to this batch, if anything."""
        if self.shutdown.is_set():
            return "shutdown"
        with store_errors():
            flag = self._store.get(f"interrupt:{batch.conversation_id}")
        if flag is None:
            return None
        happened = json.loads(text(flag))
        if happened["kind"] == "stop":
            return "stop" if happened["at"] >= batch.newest.sent_at else None
        return "changed" if happened["message_id"] in (*batch.ids, ANY) else None

    def clear(self, conversation_id: str) -> None:
        """Forget the flag: it has been acted on."""
        with store_errors():
            self._store.delete(f"interrupt:{conversation_id}")

    def _raise(self, conversation_id: str, flag: dict[str, object]) -> None:
        with store_errors():
            self._store.set(f"interrupt:{conversation_id}", json.dumps(flag), ex=FLAG_LIFE_S)


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
