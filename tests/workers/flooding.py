"""People who write a lot at once."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from bot.inbox import Inbox
from bot.messages import Message
from tests.workers.making import NoHints, message

A_MINUTE = 3
"""Messages of one person within a minute, in the tests of it."""


def write(store: redis.Redis, messages: Sequence[Message], limit: int = A_MINUTE) -> None:
    """Put messages into an inbox with a limit of messages a minute; 0: none."""
    inbox = Inbox(store, NoHints(), person_messages_per_minute=limit)
    for one in messages:
        inbox.accept(one, f"delivery of {one.id}")


def threads(count: int, user: str = "console:u1") -> list[Message]:
    """As many questions of one person, each in a conversation of its own."""
    return [message(user=user, conversation=f"console:t{number}") for number in range(count)]
