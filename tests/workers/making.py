"""Messages for tests, and an inbox to put them into."""

from __future__ import annotations

import itertools
import time

import redis

from bot.inbox import Inbox
from bot.messages import Message

_numbers = itertools.count(1)


class NoHints:
    """Hints that go nowhere: the test takes what is ready itself."""

    def answer(self, conversation_id: str) -> None: ...

    def act(self, control_id: str) -> None: ...


def message(
    text: str = "経費の締め日はいつですか？", *, user: str = "console:u1", conversation: str = "console:c1"
) -> Message:
    """A message of the console, later than all before it."""
    number = next(_numbers)
    return Message(
        id=f"console:m{number}",
        platform="console",
        conversation_id=conversation,
        user_id=user,
        text=text,
        sent_at=time.time() + number / 1000,
        reply_to={"session": "u1"},
    )


def accept(store: redis.Redis, *messages: Message) -> None:
    """Put messages into the inbox."""
    inbox = Inbox(store, NoHints())
    for one in messages:
        inbox.accept(one, f"delivery of {one.id}")
