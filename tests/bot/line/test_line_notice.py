"""Nobody sits in silence: a notice before the token dies, and a button that fetches the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from bot.errors import DeliveryDeferred
from bot.line.phrases import Phrases, phrases
from bot.line.reply import LineReply
from bot.line.sender import LineSender
from bot.platform import Target
from tests.bot.line.sending import (
    ANSWER,
    JA,
    LATE,
    SHOWN,
    MemoryJournal,
    kept,
    press,
)
from tests.fakes.line import REPLY, FakeLine, Fault
from tests.fakes.line_events import USER


def waits(words: Phrases) -> str:
    """The notice where nothing is known of the wait."""
    return f"{words.working}\n{words.wait_for_button}"


WAIT = waits(JA)


def about_to_die(stream: LineReply, target: Target) -> None:
    stream.due(target.reply_to["expires_at"] - 7)


def test_nobody_sits_in_silence_when_the_token_is_about_to_die(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target = asked()
    about_to_die(sender.open(target, MemoryJournal()), target)

    assert line.visible(USER) == [WAIT]
    assert len(line.buttons(USER)) == 1


def test_the_notice_is_in_the_askers_language(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target = asked(language="en")
    about_to_die(sender.open(target, MemoryJournal()), target)

    assert line.visible(USER) == [waits(phrases("en"))]


def test_where_pushing_is_allowed_the_notice_has_no_button(pushing: LineSender, line: FakeLine, asked: Any) -> None:
    target, journal = asked(), MemoryJournal()
    about_to_die(pushing.open(target, journal), target)
    pushing.open(target, journal).finish(ANSWER)

    assert line.visible(USER) == [f"{JA.working}\n{JA.wait_for_push}", SHOWN]
    assert line.buttons(USER) == []


@pytest.mark.parametrize("seconds_left", [55, 9, -1])
def test_the_notice_is_neither_early_nor_late(
    sender: LineSender, line: FakeLine, asked: Any, seconds_left: float
) -> None:
    target = asked()
    sender.open(target, MemoryJournal()).due(target.reply_to["expires_at"] - seconds_left)

    assert line.calls == []


def test_the_notice_is_shown_once_whoever_is_asked(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target, journal = asked(), MemoryJournal()
    worker, clerk = sender.open(target, journal), sender.open(target, journal)

    for stream in (worker, clerk, worker):
        about_to_die(stream, target)

    assert len(line.calls_of(REPLY)) == 1


def test_an_answered_question_gets_no_notice(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target, journal = asked(), MemoryJournal()
    sender.open(target, journal).finish(ANSWER)
    about_to_die(sender.open(target, journal), target)

    assert line.visible(USER) == [SHOWN]


def test_after_the_notice_the_answer_is_kept_and_the_button_brings_it(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    target, journal = asked(), MemoryJournal()
    stream = sender.open(target, journal)
    about_to_die(stream, target)
    assert stream.finish(ANSWER).kept

    press(sender, line)

    assert line.visible(USER)[1:] == [f"{LATE}\n\n{SHOWN}"]
    assert kept(store) == []
    assert line.pushes == 0


def test_a_notice_that_line_refused_leaves_the_token_to_the_answer(
    sender: LineSender, line: FakeLine, asked: Any
) -> None:
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    target = asked()
    stream = sender.open(target, MemoryJournal())
    about_to_die(stream, target)

    assert not stream.finish(ANSWER).kept
    assert line.visible(USER) == [SHOWN]


def test_after_a_notice_that_may_have_been_taken_the_token_counts_as_used(
    sender: LineSender, line: FakeLine, asked: Any
) -> None:
    line.go_wrong(REPLY, Fault.SERVER_ERROR, Fault.SERVER_ERROR)
    target, journal = asked(), MemoryJournal()
    about_to_die(sender.open(target, journal), target)

    assert sender.open(target, journal).finish(ANSWER).kept


def test_the_notice_brings_what_was_kept_before(sender: LineSender, line: FakeLine, asked: Any) -> None:
    sender.open(asked(age_s=60), MemoryJournal()).finish(ANSWER)
    target = asked()
    about_to_die(sender.open(target, MemoryJournal()), target)

    assert line.visible(USER) == [f"{LATE}\n\n{SHOWN}", WAIT]


@pytest.fixture
def waiting_for_button(sender: LineSender, line: FakeLine, asked: Any) -> LineReply:
    """An answer that is being written, with the notice and its button shown."""
    target = asked()
    stream = sender.open(target, MemoryJournal())
    about_to_die(stream, target)
    return stream


def test_a_press_before_it_is_ready_waits_and_brings_the_answer_when_it_is(
    sender: LineSender, line: FakeLine, store: redis.Redis, waiting_for_button: LineReply
) -> None:
    press(sender, line, asked_for="coming")
    assert len(line.visible(USER)) == 1

    assert not waiting_for_button.finish(ANSWER).kept

    assert line.visible(USER)[1:] == [f"{LATE}\n\n{SHOWN}"]
    assert kept(store) == []
    assert line.pushes == 0


def test_a_second_press_shows_nothing_twice(sender: LineSender, line: FakeLine, waiting_for_button: LineReply) -> None:
    waiting_for_button.finish(ANSWER)
    press(sender, line)
    press(sender, line)

    assert line.visible(USER)[1:] == [f"{LATE}\n\n{SHOWN}", JA.shown_above]


@pytest.mark.parametrize("fault", [None, Fault.RESET_AFTER_ACCEPTING, Fault.SERVER_ERROR])
def test_a_press_that_is_carried_out_again_shows_once(
    sender: LineSender, line: FakeLine, store: redis.Redis, waiting_for_button: LineReply, fault: Fault | None
) -> None:
    waiting_for_button.finish(ANSWER)
    token = line.issue_token(USER)
    if fault:
        line.go_wrong(REPLY, fault)

    press(sender, line, token)
    press(sender, line, token)

    assert line.visible(USER)[1:] == [f"{LATE}\n\n{SHOWN}"]
    assert kept(store) == []


def test_a_press_that_comes_too_late_leaves_the_answer_kept(
    sender: LineSender, line: FakeLine, store: redis.Redis, waiting_for_button: LineReply
) -> None:
    waiting_for_button.finish(ANSWER)
    press(sender, line, "ffffffffffffffffffffffffffffffff")

    assert len(kept(store)) == 1


def test_a_press_while_line_limits_the_rate_is_carried_out_later(
    sender: LineSender, line: FakeLine, waiting_for_button: LineReply
) -> None:
    waiting_for_button.finish(ANSWER)
    token = line.issue_token(USER)
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    with pytest.raises(DeliveryDeferred):
        press(sender, line, token)

    press(sender, line, token)

    assert line.visible(USER)[1:] == [f"{LATE}\n\n{SHOWN}"]


def test_after_a_press_no_copy_of_the_answer_stays_in_the_store(
    sender: LineSender, line: FakeLine, store: redis.Redis, waiting_for_button: LineReply
) -> None:
    waiting_for_button.finish(ANSWER)
    press(sender, line)

    journals = [store.hgetall(key) for key in store.scan_iter("collect:*")]
    assert journals
    assert not any("20日" in str(json.loads(value)) for journal in journals for value in journal.values())
