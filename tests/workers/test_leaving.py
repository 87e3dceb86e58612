"""Where the bot was shut out nothing that was said is left, and nothing is done; elsewhere all is as it was."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from bot.messages import Command, Edit, Message
from bot.votes import Ballot
from knowledge.retrieval import Retriever
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack
from tests.workers.desk import (
    ANSWER,
    LIFE_S,
    at_work,
    command,
    dead_letters,
    everything,
    from_slack,
    make_clerk,
    make_desk,
    saying,
    slack_sender,
    until,
)
from tests.workers.letters import a_question_dies
from tests.workers.making import accept
from workers.acting import act
from workers.answer_cache import AnswerCache
from workers.batches import Batches
from workers.gaps.gap import gap_of
from workers.gaps.gaps import Gaps
from workers.services import Clerk, Desk
from workers.serving import answer_next
from workers.votes.votes import Votes

TEAM = "slack:T0MADO"
SECRET = "オニヤンマ"
QUESTION = f"{SECRET}の経費の締め日はいつですか？"
WITHOUT_WORDS = {"seen", "epoch", "interrupt", "erased", "fence", "rewrite"}


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def clerk(store: redis.Redis, slack: FakeSlack) -> Clerk:
    return make_clerk(store, {"slack": slack_sender(slack, store)})


@pytest.fixture
def desk(store: redis.Redis, slack: FakeSlack, retriever: Retriever) -> Iterator[Desk]:
    with saying(Script(ANSWER)) as model:
        yield make_desk(
            store, retriever, model, senders={"slack": slack_sender(slack, store)}, answers=AnswerCache(store, 1)
        )


def leaves(place: str) -> Command:
    return Command("slack", place, "slack:", "leave", "", "", time.time(), {})


def elsewhere(message: Message, channel: str, team: str = "T0MADO") -> Message:
    """The same in another channel or workspace."""
    ts = message.reply_to["ts"]
    where = {**message.reply_to, "channel": channel, "team": team}
    return replace(
        message, id=f"slack:{team}:{channel}:{ts}", conversation_id=f"slack:{team}:{channel}:{ts}", reply_to=where
    )


def ask(store: redis.Redis, slack: FakeSlack, channel: str = "C1", team: str = "T0MADO") -> Message:
    asked = elsewhere(from_slack(slack, QUESTION), channel, team)
    accept(store, asked)
    return asked


def left_over(store: redis.Redis, place: str) -> set[str]:
    """The keys that still name something there."""
    names = {str(key) for key in store.scan_iter() if f"{place}:" in f"{key}:"}
    return {name for name in names if name.partition(":")[0] not in WITHOUT_WORDS}


def test_what_was_said_answered_and_voted_on_is_gone(
    store: redis.Redis, slack: FakeSlack, desk: Desk, clerk: Clerk
) -> None:
    asked = ask(store, slack)
    answer_next(asked.conversation_id, desk)
    exchange = Votes(store).exchange(asked.id, asked.conversation_id)
    assert exchange is not None
    Votes(store).give(Ballot(asked.id, "up"), "slack:U1", time.time(), exchange)
    store.set("slack:member:T0MADO:U1", "1")
    assert SECRET in everything(store)

    act("order 1", leaves(TEAM), clerk)

    assert SECRET not in everything(store)
    assert left_over(store, TEAM) == set()
    assert store.sismember("rewrite", "order 1")
    assert not store.exists("slack:member:T0MADO:U1", "spoke:slack:U1")


def test_what_waits_was_given_up_or_is_a_gap_is_gone(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    waits, gap = ask(store, slack), ask(store, slack, "C2")
    a_question_dies(store, elsewhere(from_slack(slack, QUESTION), "C3"))
    batch = Batches(store, LIFE_S).take(gap.conversation_id)
    assert batch is not None
    Gaps(store).note(gap_of(batch, clerk.senders["slack"]))
    edit = Edit("slack", waits.conversation_id, "slack:U1", waits.id, SECRET, time.time())
    command(store, edit, "an edit")
    assert dead_letters(store)

    act("order 1", leaves(TEAM), clerk)

    assert SECRET not in everything(store)
    assert dead_letters(store) == Gaps(store).all() == []
    assert not store.exists("ready", "controls", "controls:due")


def test_an_answer_that_is_being_written_ends_and_is_not_remembered(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk, retriever: Retriever
) -> None:
    with saying(Script(ANSWER, hangs=True)) as model:
        desk = make_desk(store, retriever, model, senders={"slack": slack_sender(slack, store)})
        asked = ask(store, slack)
        with at_work(desk, asked.conversation_id):
            act("order 1", leaves(TEAM), clerk)
        answer_next(asked.conversation_id, desk)

    assert SECRET not in everything(store)
    assert not store.exists("ready", f"turns:{asked.conversation_id}")


def test_another_workspace_channel_and_platform_notice_nothing(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk
) -> None:
    gone = ask(store, slack, "C1")
    others = [ask(store, slack, "C12"), ask(store, slack, "C2"), ask(store, slack, "C1", "T0MADO2")]
    store.set("turns:console:slack:T0MADO:C1", "of somebody who calls his session so")
    store.sadd("spoke:slack:U2", gone.conversation_id, others[0].conversation_id)

    act("order 1", leaves(f"{TEAM}:C1"), clerk)

    assert not store.exists(f"inbox:{gone.conversation_id}")
    assert all(store.exists(f"inbox:{other.conversation_id}") for other in others)
    assert store.exists("turns:console:slack:T0MADO:C1")
    assert store.smembers("spoke:slack:U2") == {others[0].conversation_id}


def test_it_bears_repetition_and_who_installs_again_is_answered(
    store: redis.Redis, slack: FakeSlack, desk: Desk, clerk: Clerk
) -> None:
    ask(store, slack)
    act("order 1", leaves(TEAM), clerk)
    act("order 1", leaves(TEAM), clerk)
    again = elsewhere(from_slack(slack, QUESTION), "C1")
    accept(store, again)

    answer_next(again.conversation_id, desk)

    until(lambda: slack.visible("C1"))
    assert store.exists(f"turns:{again.conversation_id}")


def test_orders_of_the_place_are_carried_out_no_more(store: redis.Redis, clerk: Clerk) -> None:
    theirs = replace(leaves(f"{TEAM}:U1"), name="reset")
    others = replace(theirs, conversation_id="slack:T0MADO2:U1")
    for name, event in (("theirs", theirs), ("others", others), ("order 1", leaves(TEAM))):
        command(store, event, name)
    store.hset("controls", "damaged", "[")

    act("order 1", leaves(TEAM), clerk)

    assert set(store.hkeys("controls")) == {"others", "order 1", "damaged"}


def test_ten_thousand_conversations_are_erased_within_half_a_minute(store: redis.Redis, clerk: Clerk) -> None:
    turn = json.dumps(
        {"role": "user", "message_ids": ["slack:T0MADO:C1:1.1"], "texts": [SECRET], "speaker": "slack:U1"}
    )
    with store.pipeline() as step:
        for number in range(10_000):
            step.rpush(f"turns:{TEAM}:C1:{number}.1", turn)
        step.execute()
    began = time.monotonic()

    act("order 1", leaves(TEAM), clerk)

    assert time.monotonic() - began < 30
    assert left_over(store, TEAM) == set()
