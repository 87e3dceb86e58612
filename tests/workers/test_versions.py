"""An upgrade, and the way back from one, with messages in flight: nothing is lost, nothing is shown twice."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import redis

from bot.messages import VERSION, Citation, Reply, UnreadableRecord
from tests.fakes.slack import FakeSlack
from tests.workers.desk import ANSWER, C, answers, asked_times, dead_letters, from_slack, pause_s, slack_sender
from tests.workers.making import accept, message
from workers.answer import Answer
from workers.batches import UNREADABLE_PAUSE_S
from workers.conversation import Turn
from workers.services import Desk
from workers.serving import answer_next

CITED = Citation(1, "規程", "", "締め日", "25日")
STORED = Answer(Reply("先の人が書いた答え", (CITED,)), (Turn("user", ("締め日は？",), "console:u1", ("m1",)),), 2)


def of_version(version: int | None, text: str) -> str:
    """The record as that version would have written it; None: before records of its kind had a version."""
    record: dict[str, Any] = json.loads(text)
    record.pop("v")
    return json.dumps(record if version is None else {"v": version, "of that version": [1], **record})


def begun(store: redis.Redis, desk: Desk, conversation_id: str = C, **facts: Any) -> None:
    """A worker of another version wrote these facts and was ended by the upgrade."""
    batch = desk.batches.take(conversation_id)
    assert batch is not None
    batch.journal.write(**facts)
    desk.batches.hand_back(batch, after_s=0, forgive=True)


@pytest.mark.parametrize("version", [None, *range(VERSION + 1)])
def test_an_answer_of_an_older_version_reads_as_before(version: int | None) -> None:
    assert Answer.from_json(of_version(version, STORED.to_json())) == STORED


@pytest.mark.parametrize(
    "text", [of_version(VERSION + 1, STORED.to_json()), "{}", "[]", "nonsense", '{"reply": "x", "turns": [], "cut": 0}']
)
def test_an_answer_of_a_newer_version_is_unreadable_and_says_so(text: str) -> None:
    with pytest.raises(UnreadableRecord):
        Answer.from_json(text)


def test_an_answer_that_an_older_version_wrote_is_delivered(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())
    begun(store, desk, answer=of_version(None, STORED.to_json()), on_its_way=True)

    answer_next(C, desk)

    assert answers(store) == [STORED.reply.text]
    assert asked_times(desk) == 0


def test_an_answer_of_a_newer_version_that_nobody_has_seen_is_made_anew(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())
    begun(store, desk, answer=of_version(VERSION + 1, STORED.to_json()))

    answer_next(C, desk)

    assert answers(store) == [ANSWER]


def test_an_answer_of_a_newer_version_that_is_on_its_way_waits_for_that_version(
    store: redis.Redis, desk: Desk, slack: FakeSlack
) -> None:
    said = from_slack(slack, "経費の締め日は？")
    accept(store, said)
    c, written = said.conversation_id, STORED.to_json()
    at_slack = replace(desk, senders={"slack": slack_sender(slack, store)})
    begun(store, desk, c, answer=of_version(VERSION + 1, written), on_its_way=True)

    for _ in range(5):
        answer_next(c, at_slack)
    assert UNREADABLE_PAUSE_S - 10 < pause_s(store, c) <= UNREADABLE_PAUSE_S
    assert slack.visible("C1", said.reply_to["thread_ts"]) == []
    assert not store.exists(f"lock:{c}", f"attempts:{c}")
    store.hset(f"batch:{c}", "journal:answer", json.dumps(written))  # what the newer version reads
    answer_next(c, at_slack)

    assert len(slack.visible("C1", said.reply_to["thread_ts"])) == 1
    assert asked_times(desk) == 0
    assert dead_letters(store) == []


def test_a_conversation_with_turns_of_a_newer_version_waits_for_it(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())
    turn = STORED.turns[0].to_json()
    store.rpush(f"turns:{C}", of_version(VERSION + 1, turn))

    for _ in range(5):
        answer_next(C, desk)
    assert pause_s(store, C) > UNREADABLE_PAUSE_S - 10
    assert dead_letters(store) == []
    store.lset(f"turns:{C}", 0, turn)
    answer_next(C, desk)

    assert answers(store) == [ANSWER]


@pytest.mark.parametrize("version", [0, VERSION])
def test_turns_and_messages_of_an_older_version_are_answered(store: redis.Redis, desk: Desk, version: int) -> None:
    said = message()
    accept(store, said)
    store.hset(f"messages:{C}", said.id, of_version(version, said.to_json()))
    store.rpush(f"turns:{C}", of_version(version, STORED.turns[0].to_json()))

    answer_next(C, desk)

    assert answers(store) == [ANSWER]
    assert desk.conversations.load(C).turns[0] == STORED.turns[0]


def test_what_another_version_noted_in_the_journal_does_no_harm(
    store: redis.Redis, desk: Desk, slack: FakeSlack
) -> None:
    said = from_slack(slack, "経費の締め日は？")
    accept(store, said)
    begun(store, desk, said.conversation_id, of_a_newer_version={"stream": [1, 2]}, sent=0)

    answer_next(said.conversation_id, replace(desk, senders={"slack": slack_sender(slack, store)}))

    assert [ANSWER in text for text in slack.visible("C1", said.reply_to["thread_ts"])] == [True]


def test_a_batch_that_an_older_version_began_is_answered_and_leaves_nothing(store: redis.Redis, desk: Desk) -> None:
    said = message()
    accept(store, said)
    store.hset(f"batch:{C}", mapping={"ids": json.dumps([said.id]), "token": "1:a worker of the older version"})
    store.set(f"attempts:{C}", 1)

    answer_next(C, desk)

    assert answers(store) == [ANSWER]
    assert not store.exists(f"batch:{C}", f"attempts:{C}", f"answering:{said.user_id}", "ready")
