"""The store is full from any point of an answer's way on: afterwards the answer is there, once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import get_args

import pytest
import redis

from bot.checkpoints import AUDIT_EVENT, Point
from bot.console.sender import ConsoleSender
from bot.messages import Message
from bot.platform import Sender
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.fakes.slack import FakeSlack
from tests.workers.desk import (
    ANSWER,
    answers,
    asked_times,
    dead_letters,
    from_line,
    from_slack,
    line_sender,
    slack_sender,
)
from tests.workers.making import accept, message
from workers.services import Desk
from workers.serving import answer_next

POINTS = get_args(Point)
ANSWERING = POINTS[POINTS.index("taken") : POINTS.index("finished") + 1]
SOMETIMES = {"fetched", "file kept", "streaming"}
"""With files, and where an answer grows."""
WRITTEN_DOWN = ANSWERING.index("delivering")
WHILE_FULL, AFTERWARDS = 5, 3
"""Workers that come; more while it is full than a batch has attempts."""


class Checkpoints:
    """Does something when a checkpoint is passed. A hook of the interpreter stays for ever: there is only one."""

    def __init__(self) -> None:
        self.at: str | None = None
        self.then: Callable[[], object] = lambda: None
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == AUDIT_EVENT and arguments[0] == self.at:
            self.at = None
            self.then()


@dataclass(frozen=True)
class Asked:
    """A question, and how to see what its asker sees."""

    question: Message
    sender: Sender
    seen: Callable[[], list[str]]


@pytest.fixture(scope="module")
def checkpoints() -> Checkpoints:
    return Checkpoints()


@pytest.fixture(autouse=True)
def room_in_the_end(store: redis.Redis) -> Iterator[None]:
    yield
    store.config_set("maxmemory", "0")


@pytest.fixture(params=["slack", "line", "console"])
def asked(request: pytest.FixtureRequest, store: redis.Redis, slack: FakeSlack, line: FakeLine) -> Asked:
    match request.param:
        case "slack":
            on_slack = from_slack(slack, "経費の締め日は？")
            thread = on_slack.reply_to["thread_ts"]
            return Asked(on_slack, slack_sender(slack, store), lambda: slack.visible("C1", thread))
        case "line":
            on_line = from_line(line, "経費の締め日は？")
            return Asked(on_line, line_sender(line, store), lambda: line.visible(USER))
        case _:
            return Asked(message(), ConsoleSender(store), lambda: answers(store))


@pytest.mark.parametrize("point", ANSWERING)
def test_a_store_that_is_full_from_some_point_on_costs_no_answer_and_doubles_none(
    store: redis.Redis, desk: Desk, asked: Asked, checkpoints: Checkpoints, point: str
) -> None:
    accept(store, asked.question)
    with_sender = replace(desk, senders={asked.question.platform: asked.sender})
    checkpoints.then = lambda: store.config_set("maxmemory", "1")
    checkpoints.at = point

    for _ in range(WHILE_FULL):
        answer_next(asked.question.conversation_id, with_sender)
    assert checkpoints.at is None or point in SOMETIMES
    store.config_set("maxmemory", "0")
    for _ in range(AFTERWARDS):
        answer_next(asked.question.conversation_id, with_sender)

    assert [ANSWER in text for text in asked.seen()] == [True]
    assert dead_letters(store) == []
    assert not store.exists("ready", f"lock:{asked.question.conversation_id}")
    if ANSWERING.index(point) >= WRITTEN_DOWN:
        assert asked_times(desk) == 1
