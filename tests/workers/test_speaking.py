"""An order is answered in the language that its person chose, else in its own, else in the one they use LINE in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis

from bot.line.events import translate
from bot.messages import Command
from tests.fakes import line_events
from tests.fakes.line import FakeLine, Fault
from tests.fakes.line_events import OTHER_USER, USER
from tests.fakes.line_profiles import FakeProfiles
from tests.workers.desk import everything, line_sender, make_clerk, order, page
from workers.acting import act
from workers.phrases import phrase
from workers.services import Clerk

ME = f"line:{USER}"
Give = Callable[..., list[str]]


@pytest.fixture
def told(line: FakeLine) -> FakeProfiles:
    fake = FakeProfiles()
    line.further.append(fake)
    fake.befriend(USER, "Jane Doe", "en-GB")
    return fake


@pytest.fixture
def clerk(store: redis.Redis, line: FakeLine) -> Clerk:
    return make_clerk(store, {"line": line_sender(line, store)})


@pytest.fixture
def give(line: FakeLine, clerk: Clerk) -> Give:
    """Give an order in a 1:1 chat; what the chat shows then."""

    def given(name: str, argument: str = "", *, language: str = "", by: str = USER) -> list[str]:
        event = translate(
            line_events.text("リセット", line_events.user(by), reply_token=line.issue_token(by)), time.time()
        )
        assert isinstance(event, Command)
        who = (event.platform, event.conversation_id, event.user_id)
        act(f"o{time.time()}", Command(*who, name, argument, language, event.sent_at, event.reply_to), clerk)
        return line.visible(by)

    return given


def test_who_follows_is_greeted_in_the_language_of_their_line(line: FakeLine, told: FakeProfiles, clerk: Clerk) -> None:
    event = translate(line_events.follow(replyToken=line.issue_token(USER)), time.time())
    assert isinstance(event, Command)
    act("o1", event, clerk)

    assert line.visible(USER) == [phrase("help", "en")]


def test_who_line_tells_nothing_of_is_greeted_in_japanese(told: FakeProfiles, give: Give) -> None:
    assert give("help", by=OTHER_USER) == [phrase("help", "ja")]


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.SLOW, Fault.RATE_LIMITED, Fault.NOT_JSON])
def test_a_line_that_tells_nothing_just_now_costs_nobody_their_greeting(
    told: FakeProfiles, give: Give, fault: Fault
) -> None:
    told.fault = fault

    assert give("help") == [phrase("help", "ja")]


def test_a_code_that_is_no_open_one_is_answered_in_the_language_of_their_line(told: FakeProfiles, give: Give) -> None:
    (said,) = give("pair", "7K3M-QX9D")

    assert said.isascii()


def test_words_count_more_than_the_language_of_their_line(told: FakeProfiles, give: Give) -> None:
    assert give("reset", language="ja") == [phrase("reset", "ja")]
    assert told.asked == []


def test_what_they_chose_counts_more_than_words(told: FakeProfiles, give: Give) -> None:
    give("language", "en")

    assert give("reset", language="ja")[-1] == phrase("reset", "en")


@pytest.mark.parametrize("chosen", ["ja", "en"])
def test_a_choice_is_confirmed_in_the_language_that_was_chosen(told: FakeProfiles, give: Give, chosen: str) -> None:
    assert give("language", chosen, language="en") == [phrase("language_chosen", chosen)]
    assert give("help")[-1] == phrase("help", chosen)


@pytest.mark.parametrize("argument", ["", "zh", "JA", "x" * 5_000, "ja\n"])
def test_a_choice_of_none_of_ours_changes_nothing(
    told: FakeProfiles, give: Give, store: redis.Redis, argument: str
) -> None:
    give("language", argument)

    assert store.keys("line_language:*") == []


def test_a_choice_is_its_persons_alone(told: FakeProfiles, give: Give) -> None:
    give("language", "en")

    assert give("help", by=OTHER_USER) == [phrase("help", "ja")]


@pytest.mark.parametrize("name", ["forget", "unfollow"])
def test_name_and_choice_go_with_the_person(told: FakeProfiles, give: Give, store: redis.Redis, name: str) -> None:
    give("help")
    give("language", "ja")
    assert "Jane Doe" in everything(store)

    give(name, language="ja")

    assert "Jane Doe" not in everything(store)
    assert store.keys("line_language:*") == []


def test_who_is_forgotten_is_told_so_in_the_language_that_they_chose(told: FakeProfiles, give: Give) -> None:
    give("language", "en")

    assert give("forget", language="ja")[-1] == phrase("forgotten", "en")


def test_line_is_not_asked_about_who_has_left(told: FakeProfiles, give: Give) -> None:
    give("unfollow")

    assert told.asked == []


def test_a_groups_name_goes_when_the_bot_leaves_it(
    line: FakeLine, told: FakeProfiles, clerk: Clerk, store: redis.Redis
) -> None:
    told.groups[line_events.GROUP] = "総務部"
    sender: Any = clerk.senders["line"]
    where = f"line:{line_events.GROUP}"
    assert sender.name_of(where) == "総務部"

    act("o1", Command("line", where, where, "leave", "", "ja", time.time(), {}), clerk)

    assert "総務部" not in everything(store)


def test_where_nobody_tells_a_language_an_order_without_one_is_answered_in_japanese(store: redis.Redis) -> None:
    act("o1", replace(order("help"), language=""), make_clerk(store))

    assert page(store)[-1][1] == phrase("help", "ja")
