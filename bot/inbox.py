"""The inbox: where a message becomes durable. After `accept` returned, it will be answered."""

from __future__ import annotations

import logging
import time
from enum import Enum
from typing import Protocol

import redis

from bot.checkpoints import checkpoint
from bot.messages import Command, Control, Deletion, Edit, Message
from bot.store import REMEMBERED_S, SEEN_S, script, store_errors
from bot.words import language

log = logging.getLogger(__name__)

ROOM = 500
"""Messages that one conversation may have waiting; beyond it the platform is told to come again."""

MOST_READY = 10_000
"""Conversations that may wait for an answer; beyond it the platforms are told to come again with further ones."""

SAY_FULL_EVERY_S = 300
"""So often a full conversation is told that it is."""


_TOO_MANY_READY = -2


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
    """Takes messages and control events into the store, each in one atomic step, each once.

    Args:
        person_messages_per_minute: what one person writes or edits beyond it is answered with a notice; 0: no limit.
    """

    def __init__(self, store: redis.Redis, hints: Hints, *, person_messages_per_minute: int = 0) -> None:
        self.store = store
        self._hints = hints
        self._per_minute = person_messages_per_minute
        self._accept = script(store, "bot", "accept")
        self._control = script(store, "bot", "control")

    def accept(self, message: Message, delivery_id: str) -> Accepted:
        """Make a message durable, once for each `delivery_id` and each `message.id`.

        FULL: nothing was taken in, for want of room; the person is told so now and then.

        Raises:
            StoreUnavailable: nothing was taken in, or it cannot be known; the platform should deliver again.
        """
        checkpoint("accepting")
        told, due = self._accepted(message, delivery_id)
        outcome = Accepted.FULL if told == _TOO_MANY_READY else Accepted(told)
        checkpoint("accepted")
        if outcome is not Accepted.FULL and due:  # known as well: the first delivery's hint may have been lost
            self._hints.answer(message.conversation_id)
        elif told == Accepted.FULL.value:  # with too many conversations it would have to be told to everybody
            self._say_full(message)
        checkpoint("hinted")
        log.info("received", extra={"platform": message.platform, "outcome": outcome.name})
        return outcome

    def control(self, event: Control, delivery_id: str) -> Accepted:
        """Make a control event durable, once for each `delivery_id`.

        Raises:
            StoreUnavailable: nothing was taken in, or it cannot be known; the platform should deliver again.
        """
        c, does = event.conversation_id, {Deletion: "delete", Edit: "edit"}.get(type(event), "")
        message_id = event.message_id if isinstance(event, Deletion | Edit) else ""
        queue = [f"seen:{delivery_id}", "controls", "controls:due"]
        with store_errors():
            outcome = Accepted(
                self._control(
                    keys=[*queue, f"seen:{message_id}", f"rate:{event.user_id}", f"over:{c}"],
                    args=[delivery_id, event.to_json(), time.time(), SEEN_S, does, self._per_minute, message_id],
                )
            )
        self._hints.act(delivery_id)
        log.info("received", extra={"platform": event.platform, "control": type(event).__name__})
        return outcome

    def _accepted(self, message: Message, delivery_id: str) -> tuple[int, bool]:
        """What the script says, and whether a hint is of use now."""
        c, user = message.conversation_id, message.user_id
        with store_errors():
            told, due = self._accept(
                keys=[
                    *(f"seen:{delivery_id}", f"seen:{message.id}", f"inbox:{c}", f"messages:{c}"),
                    *("ready", f"spoke:{user}", f"rate:{user}", f"over:{c}"),
                ],
                args=[
                    *(message.id, message.to_json(), message.sent_at, time.time(), SEEN_S, c, ROOM, REMEMBERED_S),
                    *(MOST_READY, self._per_minute),
                ],
            )
        return int(told), bool(due)

    def _say_full(self, message: Message) -> None:
        """Have the clerk tell the person, once in every SAY_FULL_EVERY_S."""
        window = int(time.time() / SAY_FULL_EVERY_S)
        event = Command(
            platform=message.platform,
            conversation_id=message.conversation_id,
            user_id=message.user_id,
            name="full",
            argument="",
            language=language(message.text),
            sent_at=message.sent_at,
            reply_to=message.reply_to,
        )
        self.control(event, f"full:{message.conversation_id}:{window}")
