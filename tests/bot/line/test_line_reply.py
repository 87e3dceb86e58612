"""By the reply token an answer is shown once, whatever goes wrong and whoever dies on the way."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from bot.errors import DeliveryDeferred, DeliveryFailed, LockLost
from bot.line.api import MAX_MESSAGES
from bot.line.sender import LineSender
from bot.messages import Reply
from bot.platform import Delivered
from tests.bot.line.sending import (
    ANSWER,
    SHOWN,
    UNSURE,
    DiesAt,
    Killed,
    MemoryJournal,
    kept,
    long_answer,
    make_sender,
)
from tests.fakes import line_events
from tests.fakes.line import REPLY, FakeLine, Fault
from tests.fakes.line_events import GROUP, USER


def test_an_answer_is_shown_once_for_free(sender: LineSender, line: FakeLine, asked: Any) -> None:
    delivered = sender.open(asked(), MemoryJournal()).finish(ANSWER)

    assert delivered == Delivered("締め日は毎月20日です。")
    assert line.visible(USER) == [SHOWN]
    assert line.pushes == 0


def test_an_answer_in_a_group_is_shown_in_the_group(sender: LineSender, line: FakeLine, asked: Any) -> None:
    sender.open(asked(line_events.group()), MemoryJournal()).finish(ANSWER)

    assert line.visible(GROUP) == [SHOWN]


def test_finishing_twice_shows_once(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target, journal = asked(), MemoryJournal()
    sender.open(target, journal).finish(ANSWER)

    assert sender.open(target, journal).finish(Reply("別の答え")) == Delivered("締め日は毎月20日です。")
    assert line.visible(USER) == [SHOWN]


def test_an_apology_is_shown_like_an_answer(sender: LineSender, line: FakeLine, asked: Any) -> None:
    sender.open(asked(), MemoryJournal()).fail("申し訳ありません。")

    assert line.visible(USER) == ["申し訳ありません。"]


def test_what_does_not_fit_one_call_is_kept_for_the_next(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    delivered = sender.open(asked(), MemoryJournal()).finish(long_answer(7))

    assert not delivered.kept
    assert len(line.visible(USER)) == MAX_MESSAGES
    assert [(len(rest.parts), rest.introduction) for rest in kept(store)] == [(2, "rest")]


def test_a_worker_that_lost_its_lock_sends_nothing(sender: LineSender, line: FakeLine, asked: Any) -> None:
    journal = MemoryJournal()
    stream = sender.open(asked(), journal)
    journal.lost = True

    with pytest.raises(LockLost):
        stream.finish(ANSWER)
    with pytest.raises(LockLost):
        stream.waiting("")
    assert line.calls == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault.RESET_BEFORE_ACCEPTING,
        Fault.RESET_AFTER_ACCEPTING,
        Fault.SERVER_ERROR,
        Fault.SERVER_ERROR_AFTER_ACCEPTING,
        Fault.SLOW,
        Fault.NOT_JSON,
    ],
)
def test_a_reply_that_may_have_been_taken_is_tried_once_more_and_shown_once(
    pushing: LineSender, line: FakeLine, store: redis.Redis, asked: Any, fault: Fault
) -> None:
    line.go_wrong(REPLY, fault)

    delivered = pushing.open(asked(), MemoryJournal()).finish(ANSWER)

    assert not delivered.kept
    assert line.visible(USER) == [SHOWN]
    assert len(line.calls_of(REPLY)) == 2
    assert line.pushes == 0
    assert kept(store) == []


def test_a_reply_that_twice_may_have_been_taken_is_kept_and_says_so_and_is_never_pushed(
    pushing: LineSender, line: FakeLine, asked: Any
) -> None:
    line.go_wrong(REPLY, Fault.SERVER_ERROR, Fault.SERVER_ERROR)

    delivered = pushing.open(asked(), MemoryJournal()).finish(ANSWER)
    assert delivered.kept
    assert line.visible(USER) == []
    assert line.pushes == 0

    pushing.open(asked(), MemoryJournal()).finish(Reply("次の答え"))
    assert line.visible(USER) == [f"{UNSURE}\n\n{SHOWN}", "次の答え"]


@pytest.mark.parametrize("faults", [[], [Fault.SERVER_ERROR]])
def test_a_worker_that_died_in_its_second_try_is_followed_by_a_third_with_the_same_token(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any, faults: list[Fault]
) -> None:
    line.go_wrong(REPLY, Fault.SERVER_ERROR, *faults)
    target, journal = asked(), DiesAt(*(("outcome", "kept") if faults else ("reply", "sent")))
    with pytest.raises(Killed):
        sender.open(target, journal).finish(ANSWER)

    assert not sender.open(target, journal).finish(ANSWER).kept
    assert line.visible(USER) == [SHOWN]
    assert kept(store) == []


@pytest.mark.parametrize("died_before", [("reply", "sent"), ("outcome", "shown")])
def test_another_worker_settles_what_a_dead_one_had_sent(
    pushing: LineSender, line: FakeLine, asked: Any, died_before: tuple[str, str]
) -> None:
    target, journal = asked(), DiesAt(*died_before)
    with pytest.raises(Killed):
        pushing.open(target, journal).finish(ANSWER)

    delivered = pushing.open(target, journal).finish(Reply("書き直された答え"))

    assert delivered == Delivered("締め日は毎月20日です。"), "the words that were shown"
    assert line.visible(USER) == [SHOWN]
    assert line.pushes == 0


def test_another_worker_sends_what_a_dead_one_had_not(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target, journal = asked(), DiesAt("reply", "once")
    with pytest.raises(Killed):
        sender.open(target, journal).finish(ANSWER)

    sender.open(target, journal).finish(ANSWER)

    assert line.visible(USER) == [SHOWN]


def test_what_nobody_can_settle_any_more_is_kept_and_not_pushed(
    pushing: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    journal = MemoryJournal()
    journal.facts = {"reply": "once", "text": "答え", "parts": ["答え"], "reply_carried": []}

    assert pushing.open(asked(age_s=60), journal).finish(ANSWER).kept
    assert [answer.introduction for answer in kept(store)] == ["unsure"]
    assert line.calls == []


def test_a_rate_limit_defers_and_the_same_token_works_later(sender: LineSender, line: FakeLine, asked: Any) -> None:
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    stream = sender.open(asked(), MemoryJournal())

    with pytest.raises(DeliveryDeferred):
        stream.finish(ANSWER)

    assert not stream.finish(ANSWER).kept
    assert line.visible(USER) == [SHOWN]


def test_a_line_that_cannot_be_reached_defers(line: FakeLine, store: redis.Redis, asked: Any) -> None:
    nowhere = make_sender(line, store, url="http://127.0.0.1:9/")

    with pytest.raises(DeliveryDeferred):
        nowhere.open(asked(), MemoryJournal()).finish(ANSWER)


def test_a_revoked_access_token_fails_for_good(line: FakeLine, store: redis.Redis, asked: Any) -> None:
    stranger = make_sender(line, store, token="revoked")

    with pytest.raises(DeliveryFailed):
        stranger.open(asked(), MemoryJournal()).finish(ANSWER)


def test_the_apology_takes_the_place_of_what_could_not_be_shown(sender: LineSender, line: FakeLine, asked: Any) -> None:
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    stream = sender.open(asked(), MemoryJournal())
    with pytest.raises(DeliveryDeferred):
        stream.finish(ANSWER)

    stream.fail("申し訳ありません。")

    assert line.visible(USER) == ["申し訳ありません。"]
