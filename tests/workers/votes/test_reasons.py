"""Why an answer did not help, in the voter's own words: asked in a dialog, kept with the vote, gone with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from bot.slack.dialogs import parse_reason, reason_view
from bot.votes import MAX_REASON_CHARS, Reason
from knowledge.retrieval import Retriever
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack, Fault
from tests.workers.around import SlackDesk, buttons, sent_view
from tests.workers.desk import ANSWER, everything, saying
from workers.votes.votes import Vote, Votes

WORDS = "締め日ではなく支払日を聞きました。"


@pytest.fixture
def around(store: redis.Redis, slack: FakeSlack, retriever: Retriever) -> Iterator[SlackDesk]:
    with saying(Script(ANSWER)) as generator:
        yield SlackDesk(store, slack, retriever, generator)


def vote(around: SlackDesk, answer: dict[str, Any], value: str = "down", user: str = "U1") -> list[dict[str, Any]]:
    """The dialogs that were opened for it."""
    before = len(around.slack.workspace.interactions.views)
    around.press(answer, "vote", value=buttons(answer)[value], user=user)
    return [view for _, view in around.slack.workspace.interactions.views[before:]]


def send(around: SlackDesk, view: dict[str, Any], words: str, **who: str) -> int:
    status = around.door.take(sent_view(view, words, **who)).status
    around.carry_out()
    return status


def test_a_bad_vote_is_asked_for_its_reason_which_is_kept_with_it(around: SlackDesk, store: redis.Redis) -> None:
    (view,) = vote(around, around.ask())

    assert send(around, view, WORDS) == 200

    (kept,) = Votes(store).all()
    assert (kept.value, kept.reason) == ("down", WORDS)


def test_a_good_vote_is_asked_nothing(around: SlackDesk) -> None:
    assert vote(around, around.ask(), "up") == []


def test_a_vote_without_a_reason_counts_all_the_same(around: SlackDesk, store: redis.Redis) -> None:
    vote(around, around.ask())

    assert [(one.value, one.reason) for one in Votes(store).all()] == [("down", "")]


@pytest.mark.parametrize(
    "trouble", [Fault(error="expired_trigger_id"), Fault(error="trigger_expired"), Fault(status=500)]
)
def test_a_dialog_that_cannot_be_opened_is_no_trouble(around: SlackDesk, store: redis.Redis, trouble: Fault) -> None:
    around.slack.fail("views.open", trouble)

    assert vote(around, around.ask()) == []

    assert len(Votes(store).all()) == 1
    assert around.carry_out() == []


def test_after_three_seconds_no_dialog_is_opened(around: SlackDesk, store: redis.Redis) -> None:
    answer = around.ask()
    around.door.take(around.payload(answer, "vote", value=buttons(answer)["down"]))
    around.slack.workspace.interactions.passed_s = 3.1

    around.carry_out()

    assert around.slack.workspace.interactions.views == []
    assert len(Votes(store).all()) == 1


def test_the_reason_of_a_vote_that_is_gone_is_dropped(around: SlackDesk, store: redis.Redis) -> None:
    (view,) = vote(around, around.ask())
    Votes(store).erase(person="slack:U1")

    send(around, view, WORDS)

    assert WORDS not in everything(store)


def test_who_thought_better_of_it_has_no_reason(around: SlackDesk, store: redis.Redis) -> None:
    answer = around.ask()
    (view,) = vote(around, answer)
    vote(around, answer, "up")

    send(around, view, WORDS)

    assert [(one.value, one.reason) for one in Votes(store).all()] == [("up", "")]


def test_somebody_elses_reason_is_none_for_this_vote(around: SlackDesk, store: redis.Redis) -> None:
    (view,) = vote(around, around.ask())

    send(around, view, WORDS, user="U2")

    assert Votes(store).all()[0].reason == ""
    assert WORDS not in everything(store)


def test_it_goes_with_the_vote(around: SlackDesk, store: redis.Redis) -> None:
    (view,) = vote(around, around.ask())
    send(around, view, WORDS)

    Votes(store).erase(person="slack:U1")

    assert WORDS not in everything(store)


@pytest.mark.parametrize("words", ["長" * 3_000, "一\n\n二\x00\ud800三", "<!channel> `x`"])
def test_whatever_is_written_is_kept_bounded_and_on_one_line(around: SlackDesk, store: redis.Redis, words: str) -> None:
    (view,) = vote(around, around.ask())

    send(around, view, words)

    reason = Votes(store).all()[0].reason
    assert 0 < len(reason) <= MAX_REASON_CHARS
    assert "\n" not in reason


VIEW = reason_view("slack:T:C:1.1", "slack:T:C:1.1", "ja")


@pytest.mark.parametrize(
    "odd",
    [
        {"private_metadata": ""},
        {"private_metadata": "{"},
        {"private_metadata": "[" * 100_000},
        {"private_metadata": "[]"},
        {"private_metadata": json.dumps({"message_id": "a b", "conversation_id": "c"})},
        {"private_metadata": json.dumps({"message_id": 5, "conversation_id": "c"})},
        {"private_metadata": json.dumps({"message_id": "x" * 5_000, "conversation_id": "c"})},
        {"private_metadata": None},
        {"state": None},
        {"state": {"values": []}},
        {"state": {"values": {"reason": {"words": {"value": None}}}}},
        {"state": {"values": {"reason": {"words": {"value": "  \n"}}}}},
        {"id": "<V>"},
    ],
)
def test_a_dialog_of_no_shape_that_slack_sends_is_nothing(odd: dict[str, Any]) -> None:
    payload = sent_view(VIEW, WORDS)
    payload["view"] |= odd

    assert parse_reason(payload) is None


def test_the_same_dialog_sent_twice_is_one_delivery() -> None:
    first, second = (parse_reason(sent_view(VIEW, WORDS)) for _ in range(2))

    assert first is not None
    assert second is not None
    assert first[1] == second[1]


def test_a_reason_comes_back_as_it_was() -> None:
    reason = Reason("slack:T:C:1.1", WORDS)

    assert Reason.read(reason.to_text()) == reason
    assert Reason.read("") is None
    assert Reason.read("only-an-id") is None


def test_a_vote_of_before_reasons_has_none(around: SlackDesk, store: redis.Redis) -> None:
    vote(around, around.ask())
    stored = json.loads(store.hvals("votes")[0])

    assert "reason" not in stored
    assert Vote.from_json(json.dumps(stored)).reason == ""
