"""Who asks on Slack sees at once that it is being worked on, for as long as nothing else can be seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from bot.messages import Reply
from bot.platform import Target
from bot.slack import status
from bot.slack.limiter import Limiter
from bot.slack.sender import SlackSender
from bot.slack.web import slack_client
from tests.bot.test_slack_growth import opened
from tests.bot.test_slack_sender import MemoryJournal, target_of
from tests.fakes.slack import TOKEN, FakeSlack, Fault

SET = "assistant.threads.setStatus"
TURNS = ("資料を探しています…", "資料を読んでいます…", "答えを考えています…")


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def sender(slack: FakeSlack, store: redis.Redis) -> SlackSender:
    return SlackSender(slack_client(TOKEN, slack.api_url), store)


@pytest.fixture
def target(slack: FakeSlack) -> Target:
    return target_of(slack.workspace.say("C1", "経費の締め日は？")["ts"])


def test_the_work_is_shown_in_turn(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    opened(sender, target, MemoryJournal()).working(*TURNS)

    place = slack.workspace.channels["C1"]
    assert place.statuses == [(target.reply_to["thread_ts"], TURNS[0])]
    assert place.turns == [list(TURNS)]


def test_texts_are_as_many_and_as_long_as_slack_takes(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    opened(sender, target, MemoryJournal()).working(*["あ" * 60] * 12)

    assert slack.workspace.channels["C1"].turns == [["あ" * 49 + "…"] * 10]


def test_what_is_shown_already_is_not_shown_again(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    stream = opened(sender, target, MemoryJournal())
    for _ in range(5):
        stream.waiting("順番をお待ちください。")
        stream.due(0.0)

    assert slack.workspace.calls[SET] == 1


def test_a_line_is_shown_again_before_slack_takes_it_away(
    slack: FakeSlack, sender: SlackSender, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = status.AGAIN_AFTER_S
    stream = opened(sender, target, MemoryJournal())
    stream.working(*TURNS)
    monkeypatch.setattr(status, "AGAIN_AFTER_S", 0.0)

    stream.due(0.0)

    assert 60 <= written <= 90
    assert slack.workspace.channels["C1"].turns == [list(TURNS)] * 2


def test_a_place_in_the_queue_takes_the_place_of_what_was_shown(
    slack: FakeSlack, sender: SlackSender, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "CHANGED_AFTER_S", 0.0)
    stream = opened(sender, target, MemoryJournal())
    stream.working(*TURNS)

    stream.waiting("順番をお待ちください。前に2件、あと約30秒です。")

    assert slack.workspace.channels["C1"].statuses[-1][1] == "順番をお待ちください。前に2件、あと約30秒です。"
    assert slack.workspace.channels["C1"].turns[-1] == []


def test_a_line_that_a_message_has_taken_away_is_not_kept(
    slack: FakeSlack, sender: SlackSender, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "AGAIN_AFTER_S", 0.0)
    stream = opened(sender, target, MemoryJournal())
    stream.working(*TURNS)
    stream.preview(Reply("資料の抜粋です。"))

    stream.due(0.0)

    assert slack.workspace.calls[SET] == 1


@pytest.mark.parametrize("fault", [Fault(status=429), Fault(status=500), Fault(reset="before"), Fault(error="x")])
def test_a_line_that_slack_refuses_is_no_failure(
    slack: FakeSlack, sender: SlackSender, target: Target, fault: Fault
) -> None:
    slack.fail(SET, fault)

    opened(sender, target, MemoryJournal()).working(*TURNS)


def test_a_line_is_left_out_when_slack_has_had_enough_of_them(
    slack: FakeSlack, store: redis.Redis, target: Target
) -> None:
    slack.tiers.on = True
    sender = SlackSender(slack_client(TOKEN, slack.api_url, limiter=Limiter(store, TOKEN)), store)

    for _ in range(60):
        opened(sender, target, MemoryJournal()).working(*TURNS)

    assert slack.workspace.calls[SET] == 40
    assert slack.tiers.refused == 0
