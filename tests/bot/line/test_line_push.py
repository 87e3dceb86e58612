"""Where pushing is allowed, an answer is pushed once when its token is gone."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from bot.errors import DeliveryDeferred
from bot.line.sender import LineSender
from bot.messages import Reply
from tests.bot.line.sending import (
    ANSWER,
    SHOWN,
    DiesAt,
    Killed,
    MemoryJournal,
    kept,
    long_answer,
)
from tests.fakes.line import PUSH, FakeLine, Fault
from tests.fakes.line_events import USER


def test_with_the_token_gone_an_answer_is_pushed_where_that_is_allowed(
    pushing: LineSender, line: FakeLine, asked: Any
) -> None:
    assert not pushing.open(asked(age_s=60), MemoryJournal()).finish(ANSWER).kept

    assert line.visible(USER) == [SHOWN]
    assert line.pushes == 1


def test_a_long_answer_is_pushed_five_messages_at_a_time(pushing: LineSender, line: FakeLine, asked: Any) -> None:
    pushing.open(asked(age_s=60), MemoryJournal()).finish(long_answer(7))

    assert [len(call.body["messages"]) for call in line.calls_of(PUSH)] == [5, 2]
    assert len({call.headers["x-line-retry-key"] for call in line.calls_of(PUSH)}) == 2


@pytest.mark.parametrize(
    "fault", [Fault.RESET_BEFORE_ACCEPTING, Fault.RESET_AFTER_ACCEPTING, Fault.SERVER_ERROR, Fault.SLOW]
)
def test_a_push_that_may_have_been_taken_is_made_again_with_its_key_and_shown_once(
    pushing: LineSender, line: FakeLine, asked: Any, fault: Fault
) -> None:
    line.go_wrong(PUSH, fault)
    stream = pushing.open(asked(age_s=60), MemoryJournal())
    with pytest.raises(DeliveryDeferred):
        stream.finish(ANSWER)

    assert not stream.finish(Reply("書き直された答え")).kept
    assert line.visible(USER) == [SHOWN]
    assert len({call.headers["x-line-retry-key"] for call in line.calls_of(PUSH)}) == 1


def test_another_worker_goes_on_pushing_where_a_dead_one_stopped(
    pushing: LineSender, line: FakeLine, asked: Any
) -> None:
    target, journal = asked(age_s=60), DiesAt("pushed", 1)
    with pytest.raises(Killed):
        pushing.open(target, journal).finish(long_answer(7))

    pushing.open(target, journal).finish(long_answer(7))

    assert len(line.visible(USER)) == 7


def test_with_the_months_pushes_used_up_an_answer_is_kept(
    pushing: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    line.monthly_limit = 1

    delivered = pushing.open(asked(age_s=60), MemoryJournal()).finish(long_answer(7))
    assert not delivered.kept
    assert [(len(rest.parts), rest.introduction) for rest in kept(store)] == [(2, "rest")]

    assert pushing.open(asked(age_s=60), MemoryJournal()).finish(ANSWER).kept
