"""A message is marked as read once, where LINE lets us; where it does not, that costs one call an hour."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from bot.calls import Calls
from bot.errors import LockLost
from bot.line.api import LineApi
from bot.line.events import translate
from bot.line.reading import REFUSED_S, ReadMark
from bot.line.sender import LineSender
from bot.messages import Message
from tests.bot.line.sending import ANSWER, SHOWN, MemoryJournal
from tests.fakes import line_events
from tests.fakes.line import FakeLine, Fault
from tests.fakes.line_profiles import FakeMarks

HERE: dict[str, Any] = {"read_token": "mLzXkQ1rT8"}


@pytest.fixture
def line_marks(line: FakeLine) -> FakeMarks:
    fake = FakeMarks()
    line.further.append(fake)
    return fake


Mark = Callable[..., None]


@pytest.fixture
def mark(line: FakeLine, store: redis.Redis) -> Mark:
    """Marks a message, by a worker of its own."""
    api = LineApi(line.url, line.access_token, Calls(), 0.3)

    def show(reply_to: dict[str, Any], journal: MemoryJournal) -> None:
        read_mark = ReadMark(reply_to, journal, api=api, store=store)
        read_mark.show()
        read_mark.show()

    return show


def test_a_message_is_marked_once(line_marks: FakeMarks, mark: Mark) -> None:
    journal = MemoryJournal()
    for _ in range(3):
        mark(HERE, journal)

    assert line_marks.marked == ["mLzXkQ1rT8"]
    assert line_marks.calls == 1


def test_a_messages_token_comes_with_it() -> None:
    message = translate(line_events.text("経費は？", markAsReadToken="30yhdy232"), time.time())

    assert isinstance(message, Message)
    assert message.reply_to["read_token"] == "30yhdy232"


@pytest.mark.parametrize("token", [None, 7, "", "x" * 401, ["a"], {}, "\n", "鍵"])
def test_a_message_with_an_odd_token_is_one_all_the_same(token: object) -> None:
    message = translate(line_events.text("経費は？", markAsReadToken=token), time.time())

    assert isinstance(message, Message)
    assert message.reply_to["read_token"] is None


@pytest.mark.parametrize("reply_to", [{}, {"read_token": None}, {"read_token": ""}])
def test_without_a_token_nothing_is_called(line_marks: FakeMarks, mark: Mark, reply_to: dict[str, Any]) -> None:
    mark(reply_to, MemoryJournal())

    assert line_marks.calls == 0


@pytest.mark.parametrize("fault", [Fault.FORBIDDEN, Fault.BAD_REQUEST])
def test_what_line_refuses_is_not_tried_for_an_hour_by_anybody(
    line_marks: FakeMarks, mark: Mark, store: redis.Redis, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    line_marks.fault = fault
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            mark(HERE, MemoryJournal())

    assert line_marks.calls == 1
    assert [record.message for record in caplog.records].count("marks refused") == 1
    assert 0 < int(str(store.ttl("line:marks_refused"))) <= REFUSED_S


def test_a_token_that_is_not_ours_is_refused(line_marks: FakeMarks, mark: Mark, store: redis.Redis) -> None:
    line_marks.known = frozenset()
    mark(HERE, MemoryJournal())

    assert store.exists("line:marks_refused")


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.RATE_LIMITED, Fault.SLOW, Fault.RESET_AFTER_ACCEPTING])
def test_a_troubled_line_is_tried_again_with_the_next_message(
    line_marks: FakeMarks, mark: Mark, store: redis.Redis, fault: Fault
) -> None:
    line_marks.fault = fault
    mark(HERE, MemoryJournal())
    line_marks.fault = None
    mark(HERE, MemoryJournal())

    assert line_marks.marked == ["mLzXkQ1rT8"]


def test_who_has_lost_the_conversation_marks_nothing(line_marks: FakeMarks, mark: Mark) -> None:
    journal = MemoryJournal()
    journal.lost = True

    with pytest.raises(LockLost):
        mark(HERE, journal)
    assert line_marks.calls == 0


def test_the_token_is_not_logged(line_marks: FakeMarks, mark: Mark, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        mark(HERE, MemoryJournal())

    assert not any("mLzXkQ1rT8" in str(record.__dict__) for record in caplog.records)


def test_who_asks_sees_that_it_was_read_before_there_is_an_answer(
    line_marks: FakeMarks, sender: LineSender, asked: Any
) -> None:
    sender.open(asked(), MemoryJournal()).working()

    assert line_marks.calls == 1


def test_what_is_answered_at_once_is_marked_with_its_answer(
    line: FakeLine, line_marks: FakeMarks, sender: LineSender, asked: Any
) -> None:
    sender.open(asked(), MemoryJournal()).finish(ANSWER)

    assert line.visible(line_events.USER) == [SHOWN]
    assert line_marks.calls == 1


def test_in_a_group_it_is_marked_too(line_marks: FakeMarks, sender: LineSender, asked: Any) -> None:
    sender.open(asked(line_events.group()), MemoryJournal()).working()

    assert line_marks.calls == 1


def test_an_answer_comes_though_line_marks_nothing(
    line: FakeLine, line_marks: FakeMarks, sender: LineSender, asked: Any
) -> None:
    line_marks.fault = Fault.FORBIDDEN
    stream = sender.open(asked(), MemoryJournal())
    stream.working()

    assert not stream.finish(ANSWER).kept
    assert line.visible(line_events.USER) == [SHOWN]
    assert line_marks.calls == 1
