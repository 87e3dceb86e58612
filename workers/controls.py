"""Control events: taken for a while, carried out, done; one that fails comes again, one that never works is dead.

How often depends on what it is: an order is of no use to anybody half an hour later, an erasure is two days later.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import redis

from bot.checkpoints import checkpoint
from bot.errors import DeliveryDeferred
from bot.messages import Command, Control, Deletion, UnreadableRecord, control_from_json
from bot.store import SEEN_S, script, store_errors

log = logging.getLogger(__name__)

LEASE_S = 30.0
MOST_TRIES = 5
LONGEST_PAUSE_S = 300.0
MOST_ERASING_TRIES = round(SEEN_S / LONGEST_PAUSE_S)
"""Of an erasure that only waits for its platform: about as long as that knows what stands where to be taken away."""
TRIES_LIFE_S = 24 * 3600
ERASING = frozenset({"forget", "leave", "unfollow"})


class Controls:
    """The clerk's queue in the store."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._take = script(store, "workers", "take_control")
        self._bury = script(store, "workers", "bury")

    def carry_out(self, control_id: str, act: Callable[[str, Control], None]) -> str:
        """Carry out one event, if it is due; how it went (`done`, `gone`, `again` or `dead`).

        `act` may be called again for the same event after a crash, so its effects must bear repetition.
        """
        event = self._taken(control_id)
        if event is None:
            return "gone"
        checkpoint("ordered")
        try:
            act(control_id, control_from_json(event))
        except Exception as error:
            log.exception("control failed")
            return self._failed(control_id, event, error)
        checkpoint("carried_out")
        self._done(control_id)
        return "done"

    def due(self, most: int = 100) -> list[str]:
        """The events that are to be carried out now."""
        with store_errors():
            due = self._store.zrange("controls:due", "-inf", time.time(), byscore=True, offset=0, num=most)
        return [str(name) for name in due]

    def _taken(self, control_id: str) -> str | None:
        now = time.time()
        with store_errors():
            taken: str | None = self._take(keys=["controls", "controls:due"], args=[control_id, now, now + LEASE_S])
        return taken

    def _failed(self, control_id: str, event: str, error: Exception) -> str:
        with store_errors():
            tries = int(self._store.incr(f"attempts:{control_id}"))
            self._store.expire(f"attempts:{control_id}", TRIES_LIFE_S)
            if tries < _most_tries(event, error):
                self._store.zadd("controls:due", {control_id: time.time() + _pause_s(tries, error)}, xx=True)
                return "again"
        self._give_up(control_id, _as_object(event), type(error).__name__)
        return "dead"

    def _give_up(self, control_id: str, event: dict[str, Any], reason: str) -> None:
        now = time.time()
        letter = json.dumps({"reason": reason, "at": now, "control": event}, ensure_ascii=False)
        conversation, sent_at = event.get("conversation_id", ""), event.get("sent_at", 0)
        queue = ["controls", "controls:due", f"attempts:{control_id}"]
        with store_errors():
            self._bury(keys=[*queue, "dead", f"letters:{conversation}"], args=[control_id, letter, now, sent_at])
        log.error("order not carried out", extra={"letter": control_id, "reason": reason})

    def _done(self, control_id: str) -> None:
        with store_errors(), self._store.pipeline() as pipeline:
            pipeline.hdel("controls", control_id)
            pipeline.zrem("controls:due", control_id)
            pipeline.delete(f"attempts:{control_id}")
            pipeline.execute()


def _most_tries(event: str, error: Exception) -> int:
    """How often an event that failed so is begun in all: what is to be erased outlasts a platform that is away."""
    if isinstance(error, UnreadableRecord):
        return 0
    return MOST_ERASING_TRIES if isinstance(error, DeliveryDeferred) and _erases(event) else MOST_TRIES


def _erases(event: str) -> bool:
    control = control_from_json(event)
    return isinstance(control, Deletion) or (isinstance(control, Command) and control.name in ERASING)


def _pause_s(tries: int, error: Exception) -> float:
    """Growing pauses, and none shorter than a platform asks for."""
    asked_s = error.retry_after_s if isinstance(error, DeliveryDeferred) else None
    return max(min(2.0**tries, LONGEST_PAUSE_S), asked_s or 0.0)


def _as_object(event: str) -> dict[str, Any]:
    """The event for a dead letter, readable or not."""
    try:
        value = json.loads(event)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"unreadable": event}
