"""The slash command's answer: for its asker's eyes, until they show it to the channel, once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from bot.messages import Command
from bot.slack.slash import TAKEN
from knowledge.retrieval import Retriever
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack, Fault
from tests.fakes.slack_events import TEAM
from tests.workers.around import LOST, QUESTION, SlackDesk, buttons
from tests.workers.desk import ANSWER, dead_letters, saying
from workers.acting import act
from workers.conversation import Conversations
from workers.phrases import phrase
from workers.provenance import Provenances
from workers.serving import answer_next
from workers.votes.votes import Votes

PLACE = f"slack:{TEAM}:C1:/U1"


@pytest.fixture
def around(store: redis.Redis, slack: FakeSlack, retriever: Retriever) -> Iterator[SlackDesk]:
    with saying(Script(ANSWER)) as generator:
        yield SlackDesk(store, slack, retriever, generator)


def posts(around: SlackDesk) -> list[dict[str, Any]]:
    return [message for message in around.slack.workspace.channels["C1"].messages if "bot_id" in message]


def test_a_command_is_answered_with_its_sources_to_its_asker_alone(around: SlackDesk) -> None:
    answered = around.command()

    assert TAKEN["ja"] in answered.body
    (seen,) = around.seen()
    assert ANSWER in seen
    assert "経費精算" in seen
    assert posts(around) == []
    assert around.slack.workspace.calls["chat.postEphemeral"] == 0  # by the command's own address


def test_what_is_not_found_is_said_to_its_asker_too(around: SlackDesk) -> None:
    around.command(LOST)

    assert phrase("not_found", "ja") in around.seen()[0]
    assert set(buttons(around.alone())) == {"why"}


def test_each_person_has_a_conversation_of_their_own(around: SlackDesk, store: redis.Redis) -> None:
    around.command(user="U1")
    around.command(user="U2")
    around.command("それは何時まで？", user="U1")

    assert len(Conversations(store).load(PLACE).turns) == 4
    assert len(Conversations(store).load(PLACE.replace("U1", "U2")).turns) == 2


@pytest.mark.parametrize("word", ["忘れて", "forget"])
def test_forgetting_works_by_a_command(around: SlackDesk, store: redis.Redis, word: str) -> None:
    around.command()

    around.command(word)

    assert around.seen()[-1] in (phrase("forgotten", "ja"), phrase("forgotten", "en"))
    assert Conversations(store).load(PLACE).turns == ()
    assert store.keys("provenance*") == []


def test_shared_it_stands_in_the_channel_with_question_and_sources(around: SlackDesk) -> None:
    around.command()

    around.press(around.alone(), "share")

    (post,) = around.slack.visible("C1")
    assert QUESTION in post
    assert ANSWER in post
    assert "経費精算" in post
    assert "<@U1>" in post
    assert around.seen() == [phrase("shared", "ja")]  # in the place of the answer


def test_shared_twice_it_stands_there_once(around: SlackDesk) -> None:
    around.command()
    presses = [around.payload(around.alone(), "share") for _ in range(3)]

    for one in presses:
        around.door.take(one)
        around.carry_out()

    assert len(posts(around)) == 1


@pytest.mark.parametrize("trouble", [Fault(reset="after"), Fault(status=500, taken=True), Fault(reset="before")])
def test_where_slack_leaves_it_open_it_is_looked_for_and_stands_once(around: SlackDesk, trouble: Fault) -> None:
    around.command()
    around.slack.fail("chat.postMessage", trouble)

    around.press(around.alone(), "share")
    around.store.zadd("controls:due", {str(name): 0 for name in around.store.hkeys("controls")})
    around.carry_out()

    assert len(posts(around)) == 1
    assert around.seen() == [phrase("shared", "ja")]


def test_where_the_bot_is_not_a_member_its_asker_is_told(around: SlackDesk) -> None:
    around.command()
    around.slack.workspace.channels["C1"].has_bot = False

    around.press(around.alone(), "share")

    assert around.seen()[-1] == phrase("share_refused", "ja")
    assert ANSWER in around.seen()[0]


def test_what_was_forgotten_is_not_shared(around: SlackDesk) -> None:
    around.command()
    answer = around.alone()
    around.command("忘れて")

    around.press(answer, "share")

    assert posts(around) == []
    assert around.seen()[-1] == phrase("answer_gone", "ja")


def test_what_was_shared_goes_with_who_asked(around: SlackDesk, store: redis.Redis) -> None:
    around.command()
    around.press(around.alone(), "share")

    around.command("忘れて")

    assert posts(around) == []
    assert store.keys("slack_posts*") == []


def test_once_documents_changed_it_is_not_shared(around: SlackDesk, store: redis.Redis) -> None:
    around.command()
    Provenances(store).refresh(lambda _: [])  # what following an index does that has none of them

    around.press(around.alone(), "share")

    assert posts(around) == []


def test_a_channel_that_became_another_companys_too_sees_public_documents_only(
    around: SlackDesk, store: redis.Redis, slack: FakeSlack, retriever: Retriever
) -> None:
    with saying(Script("冬の賞与は12月10日に基本給の2か月分を支給します。")) as generator:
        around = SlackDesk(store, slack, retriever, generator)
        around.command("冬の賞与はいつ支給されますか？")
        assert "賞与規程" in around.seen()[0]
        slack.workspace.interactions.shared.add("C1")
        store.delete(f"slack:shared:{TEAM}:C1")

        around.press(around.alone(), "share")

    assert posts(around) == []
    assert around.seen()[-1] == phrase("share_refused", "ja")


@pytest.mark.parametrize("unknown", [False, True])
def test_where_another_company_reads_or_nobody_can_say_who_only_public_documents_answer(
    store: redis.Redis, slack: FakeSlack, retriever: Retriever, unknown: bool
) -> None:
    slack.workspace.interactions.shared.add("C1")
    if unknown:
        slack.fail("conversations.info", *[Fault(error="missing_scope")] * 9)
    with saying(Script("冬の賞与は12月10日です。")) as generator:
        around = SlackDesk(store, slack, retriever, generator)

        around.command("冬の賞与はいつ支給されますか？")

    assert "賞与規程" not in around.seen()[0]


def test_in_a_direct_conversation_there_is_nobody_to_share_with(around: SlackDesk) -> None:
    around.command(channel="D1")

    assert ANSWER in around.seen()[0]
    assert "share" not in buttons(around.alone())


@pytest.mark.parametrize("user", ["U2"])
def test_somebody_elses_press_is_nothing(around: SlackDesk, user: str) -> None:
    around.command()

    around.press(around.alone(), "share", user=user)

    assert posts(around) == []


def test_a_vote_on_such_an_answer_counts_and_may_have_a_reason(around: SlackDesk, store: redis.Redis) -> None:
    around.command()

    around.press(around.alone(), "vote", value=buttons(around.alone())["down"])

    (vote,) = Votes(store).all()
    assert (vote.voter, vote.value) == ("slack:U1", "down")
    assert len(around.slack.workspace.interactions.views) == 1


def test_after_half_an_hour_it_is_shown_by_the_bot(around: SlackDesk) -> None:
    around.slack.workspace.interactions.passed_s = 0
    interactions = around.slack.workspace.interactions
    url = interactions.response_url(around.slack.url)
    form = {"command": "/madoguchi", "team_id": TEAM, "channel_id": "C1", "user_id": "U1", "text": QUESTION}
    around.door.take(form | {"trigger_id": "1.2.3", "response_url": url})
    interactions.passed_s = 1801.0

    answer_next(PLACE, around.desk)

    assert ANSWER in around.seen()[0]
    assert around.slack.workspace.calls["chat.postEphemeral"] == 1


@pytest.mark.parametrize(
    "forged", ["http://127.0.0.1:9/x", "https://hooks.slack.com.evil.example/x", "https://u@hooks.slack.com/x", ""]
)
def test_an_address_that_is_not_slacks_is_not_called(around: SlackDesk, forged: str) -> None:
    form = {"command": "/madoguchi", "team_id": TEAM, "channel_id": "C1", "user_id": "U1", "text": QUESTION}
    around.door.take(form | {"trigger_id": "1.2.3", "response_url": forged})

    answer_next(PLACE, around.desk)

    assert ANSWER in around.seen()[0]
    assert around.slack.workspace.calls["chat.postEphemeral"] == 1


def test_what_can_be_shown_nowhere_is_a_dead_letter(around: SlackDesk, store: redis.Redis) -> None:
    around.slack.fail("response_url", Fault(status=404))
    around.slack.workspace.channels["C1"].has_bot = False

    around.command()

    assert around.seen() == []
    assert [letter["reason"] for letter in dead_letters(store)] == ["not_in_channel"]


@pytest.mark.parametrize("trouble", [Fault(status=429, retry_after=7), Fault(status=500), Fault(reset="before")])
def test_an_answer_that_was_put_off_comes_later(around: SlackDesk, store: redis.Redis, trouble: Fault) -> None:
    around.slack.fail("response_url", trouble)
    around.command()
    assert around.seen() == []

    answer_next(PLACE, around.desk)

    assert [ANSWER in seen for seen in around.seen()] == [True]
    assert dead_letters(store) == []


def test_forgotten_before_it_is_posted_it_is_not_shared(around: SlackDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    around.command()
    around.store.delete(*around.store.keys("slack:shared:*"))  # who reads the channel is looked up anew
    looked_up = around.slack.workspace._methods["conversations.info"]

    def forgets(arguments: dict[str, Any]) -> dict[str, Any]:
        act("gone", Command("slack", PLACE, "slack:U1", "unfollow", "", "ja", time.time(), {}), around.clerk)
        return looked_up(arguments)

    monkeypatch.setitem(around.slack.workspace._methods, "conversations.info", forgets)
    around.press(around.alone(), "share")

    assert posts(around) == []
