"""The inbox: where a message becomes durable. After `accept` returned, it will be answered."""

from __future__ import annotations

import logging
import time
from enum import Enum
from typing import Protocol

import redis

from bot.checkpoints import checkpoint
from bot.messages import Control, Message
from bot.store import REMEMBERED_S, SEEN_S, script, store_errors

log = logging.getLogger(__name__)

ROOM = 500
"""Messages that one conversation may have waiting; beyond it the platform is told to come again."""


class Accepted(Enum):
    """What became of a delivery."""

    NEW = 1
    KNOWN = 0
    FULL = -1


class Hints(Protocol):
    """Tells a worker that there is something to do. Only a hint: it may fail, the clerk's tick finds what it missed."""

    def answer(self, conversation_id: str) -> None: ...

    def act(self, control_id: str) -> None: ...


class Inbox:
    """Takes messages and control events into the store, each in one atomic step, each once."""

    def __init__(self, store: redis.Redis, hints: Hints) -> None:
        self._store = store
        self._hints = hints
        self._accept = script(store, "bot", "accept")
        self._control = script(store, "bot", "control")

    def accept(self, message: Message, delivery_id: str) -> Accepted:
        """Make a message durable, once for each `delivery_id` and each `message.id`.

        Raises:
            StoreUnavailable: nothing was taken in, or it cannot be known; the platform should deliver again.
        """
        conversation = message.conversation_id
        checkpoint("accepting")
        with store_errors():
            outcome = Accepted(
                self._accept(
                    keys=[
                        f"seen:{delivery_id}",
                        f"seen:{message.id}",
                        f"inbox:{conversation}",
                        f"messages:{conversation}",
                        "ready",
                        f"spoke:{message.user_id}",
                    ],
                    args=[
                        *(message.id, message.to_json(), message.sent_at, time.time(), SEEN_S, conversation, ROOM),
                        REMEMBERED_S,
                    ],
                )
            )
        checkpoint("accepted")
        if outcome is not Accepted.FULL:  # known: the first delivery's hint may have been lost
            self._hints.answer(conversation)
        checkpoint("hinted")
        log.info("received", extra={"platform": message.platform, "outcome": outcome.name})
        return outcome

    def control(self, event: Control, delivery_id: str) -> Accepted:
        """Make a control event durable, once for each `delivery_id`.

        Raises:
            StoreUnavailable: nothing was taken in, or it cannot be known; the platform should deliver again.
        """
        with store_errors():
            outcome = Accepted(
                self._control(
                    keys=[f"seen:{delivery_id}", "controls", "controls:due"],
                    args=[delivery_id, event.to_json(), time.time(), SEEN_S],
                )
            )
        self._hints.act(delivery_id)
        log.info("received", extra={"platform": event.platform, "control": type(event).__name__})
        return outcome
