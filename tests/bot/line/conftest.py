"""A strict LINE over HTTP, senders to it, and questions that came from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import redis

from bot.line.events import translate
from bot.line.quota import Always
from bot.line.sender import LineSender
from bot.messages import Message
from bot.platform import Target
from tests.bot.line.sending import make_sender
from tests.fakes import line_events
from tests.fakes.line import FakeLine


@pytest.fixture
def line() -> Iterator[FakeLine]:
    with FakeLine() as fake:
        yield fake


@pytest.fixture
def sender(line: FakeLine, store: redis.Redis) -> LineSender:
    return make_sender(line, store)


@pytest.fixture
def pushing(line: FakeLine, store: redis.Redis) -> LineSender:
    return make_sender(line, store, Always())


@pytest.fixture
def asked(line: FakeLine) -> Callable[..., Target]:
    """A question as it came from LINE with a living token; `age_s` says how long ago."""

    def ask(source: dict[str, str] | None = None, *, age_s: float = 0.0, language: str = "ja") -> Target:
        source = source or line_events.user()
        chat = source.get("groupId") or source["userId"]
        said = line_events.mentioning("@窓口 締め日は？", source=source, reply_token=line.issue_token(chat))
        message = translate(said, time.time() - age_s)
        assert isinstance(message, Message)
        return Target(message.id, message.conversation_id, language, message.reply_to)

    return ask
