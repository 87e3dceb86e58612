"""Conversations remember, forget what is to be forgotten, and nothing else."""

from __future__ import annotations

import dataclasses

import pytest
import redis

from bot.messages import UnreadableRecord
from tests.workers.making import accept, message
from workers.conversation import Conversation, Conversations, Quoted, Recalled, Turn

C = "slack:T1:D1"


def turns(*message_ids: str, speaker: str = "slack:U1") -> list[Turn]:
    return [
        turn
        for m in message_ids
        for turn in (
            Turn("user", (f"質問 {m}",), speaker, (m,), (Quoted("規程 > 締め日", "月末です。", f"chunk of {m}"),)),
            Turn("assistant", (f"答え {m}",), "assistant", (m,)),
        )
    ]


def remember(store: redis.Redis, conversation_id: str, *remembered: Turn) -> None:
    store.rpush(f"turns:{conversation_id}", *(turn.to_json() for turn in remembered))
    for turn in remembered:
        for m in turn.message_ids:
            store.set(f"about:{m}", conversation_id)


@pytest.fixture
def conversations(store: redis.Redis) -> Conversations:
    return Conversations(store)


def test_turns_come_back_as_they_were(store: redis.Redis, conversations: Conversations) -> None:
    said = turns("m1")
    remember(store, C, *said)

    assert conversations.load(C).turns == tuple(said)


def test_a_thread_begins_with_the_turns_of_the_message_that_opened_it(
    store: redis.Redis, conversations: Conversations
) -> None:
    remember(store, C, *turns("slack:T1:D1:1.1", "slack:T1:D1:2.2"))

    thread = conversations.load("slack:T1:D1:1.1")

    assert [turn.text for turn in thread.turns] == ["質問 slack:T1:D1:1.1", "答え slack:T1:D1:1.1"]


def test_a_deleted_message_takes_the_answer_to_it_along(store: redis.Redis, conversations: Conversations) -> None:
    remember(store, C, *turns("m1", "m2"))

    assert conversations.erase(C, message_ids=["m1"]) == 2
    assert conversations.load(C).questions() == ("質問 m2",)
    assert not store.exists("about:m1")


def test_forgetting_one_person_leaves_the_others(store: redis.Redis, conversations: Conversations) -> None:
    remember(store, C, *turns("m1"), *turns("m2", speaker="slack:U2"))

    conversations.erase(C, speaker="slack:U1")

    assert conversations.load(C).questions() == ("質問 m2",)


def test_forgetting_reaches_what_waits(store: redis.Redis, conversations: Conversations) -> None:
    mine, other = message(user="console:u1"), message(user="console:u2")
    accept(store, mine, other)

    conversations.erase("console:c1", speaker="console:u1")

    assert store.zrange("inbox:console:c1", 0, -1) == [other.id]


def test_erasing_keeps_empty_lists_readable(store: redis.Redis, conversations: Conversations) -> None:
    bare = [Turn("user", ("hello",), "slack:U2", ("m2",)), Turn("assistant", ("hi",), "assistant", ("m2",))]
    remember(store, C, *turns("m1"), *bare)

    conversations.erase(C, message_ids=["m1"])

    assert conversations.load(C).turns == tuple(bare)


def test_an_edit_changes_its_own_words_only(store: redis.Redis, conversations: Conversations) -> None:
    merged = Turn("user", ("一つ目", "二つ目"), "slack:U1", ("m1", "m2"))
    remember(store, C, merged)

    conversations.reword(C, "m2", "直した")

    assert conversations.load(C).turns[0].texts == ("一つ目", "直した")


def test_without_what_is_gone_only_what_came_after_is_left() -> None:
    conversation = Conversation(C, tuple(turns("m1", "m2", "m3")))

    left = conversation.without({"chunk of m2"})

    assert (left.turns, left.cut) == (tuple(turns("m3")), 4)
    assert conversation.without({"chunk of m4"}) == conversation


def test_a_passage_of_an_older_version_is_of_no_chunk() -> None:
    asked = turns("m1")[0]
    older = asked.to_json().replace(', "chunk_id": "chunk of m1"', "")

    assert [(quoted.text, quoted.chunk_id) for quoted in Turn.from_json(older).passages] == [("月末です。", "")]


def test_a_record_of_a_newer_version_is_refused() -> None:
    newer = turns("m1")[0].to_json().replace('"v": 1', '"v": 2')

    with pytest.raises(UnreadableRecord):
        Turn.from_json(newer)


def recalling(message_id: str, *recalled: Recalled) -> list[Turn]:
    asked, said = turns(message_id)
    return [dataclasses.replace(asked, recalled=recalled), said]


OWN = Recalled("大阪支社の佐藤です。", "m1", "slack:U1")
OTHERS = Recalled("東京本社の田中です。", "m2", "slack:U2")


def test_what_a_deleted_message_stated_is_not_recalled(store: redis.Redis, conversations: Conversations) -> None:
    remember(store, C, *recalling("m9", OWN, OTHERS))

    conversations.erase(C, message_ids=["m1"])

    assert conversations.load(C).turns == tuple(recalling("m9", OTHERS))


def test_what_a_forgotten_person_stated_is_not_recalled(store: redis.Redis, conversations: Conversations) -> None:
    remember(store, C, *recalling("m9", OWN, OTHERS))

    conversations.erase(C, speaker="slack:U2")

    assert conversations.load(C).turns == tuple(recalling("m9", OWN))


def test_what_an_edited_message_stated_before_is_not_recalled(store: redis.Redis, conversations: Conversations) -> None:
    remember(store, C, *recalling("m9", OWN))

    conversations.reword(C, "m1", "京都支社の佐藤です。")

    assert conversations.load(C).turns == tuple(recalling("m9"))
