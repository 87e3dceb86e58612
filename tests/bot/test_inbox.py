"""The inbox takes each message in once, durably, in the platform's order."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import pytest
import redis

from bot.errors import StoreUnavailable
from bot.inbox import ROOM, SAY_FULL_EVERY_S, Accepted, Inbox
from bot.messages import Command, Deletion, Message
from bot.store import SEEN_S, connect

MESSAGE = Message(
    id="slack:T1:C1:100.1",
    platform="slack",
    conversation_id="slack:T1:C1:100.1",
    user_id="slack:U1",
    text="経費の締め日は？",
    sent_at=100.1,
    reply_to={"channel": "C1", "thread_ts": "100.1"},
)


class RecordedHints:
    def __init__(self) -> None:
        self.answers: list[str] = []
        self.acts: list[str] = []

    def answer(self, conversation_id: str) -> None:
        self.answers.append(conversation_id)

    def act(self, control_id: str) -> None:
        self.acts.append(control_id)


@pytest.fixture
def hints() -> RecordedHints:
    return RecordedHints()


@pytest.fixture
def inbox(store: redis.Redis, hints: RecordedHints) -> Inbox:
    return Inbox(store, hints)


def test_a_message_is_durable_and_its_conversation_ready(inbox: Inbox, store: redis.Redis) -> None:
    assert inbox.accept(MESSAGE, "Ev1") is Accepted.NEW

    stored = store.hget(f"messages:{MESSAGE.conversation_id}", MESSAGE.id)
    assert Message.from_json(stored) == MESSAGE
    assert store.zrange("ready", 0, -1) == [MESSAGE.conversation_id]


def test_a_message_that_comes_after_its_deletion_is_not_taken_in(inbox: Inbox, store: redis.Redis) -> None:
    inbox.control(Deletion("slack", MESSAGE.conversation_id, MESSAGE.user_id, MESSAGE.id, 101.0), "Ev2")

    assert inbox.accept(MESSAGE, "Ev1") is Accepted.KNOWN
    assert not store.exists("ready", f"messages:{MESSAGE.conversation_id}")
    assert 0 < store.ttl(f"seen:{MESSAGE.id}") <= SEEN_S


def test_the_deletion_of_a_message_that_was_taken_in_leaves_known_that_it_was(inbox: Inbox, store: redis.Redis) -> None:
    inbox.accept(MESSAGE, "Ev1")

    inbox.control(Deletion("slack", MESSAGE.conversation_id, MESSAGE.user_id, MESSAGE.id, 101.0), "Ev2")

    assert store.get(f"seen:{MESSAGE.id}") == "accepted"


def test_the_same_delivery_is_known(inbox: Inbox) -> None:
    inbox.accept(MESSAGE, "Ev1")

    assert inbox.accept(MESSAGE, "Ev1") is Accepted.KNOWN


def test_one_message_under_two_delivery_ids_is_known(inbox: Inbox, store: redis.Redis) -> None:
    inbox.accept(MESSAGE, "Ev1")

    assert inbox.accept(MESSAGE, "Ev2") is Accepted.KNOWN
    assert store.zcard(f"inbox:{MESSAGE.conversation_id}") == 1


def test_a_known_delivery_hints_again_since_the_first_hint_may_be_lost(inbox: Inbox, hints: RecordedHints) -> None:
    inbox.accept(MESSAGE, "Ev1")
    inbox.accept(MESSAGE, "Ev1")

    assert hints.answers == [MESSAGE.conversation_id] * 2


def test_while_a_conversation_is_put_off_nothing_that_comes_has_it_begun_before_its_time(
    inbox: Inbox, hints: RecordedHints, store: redis.Redis
) -> None:
    inbox.accept(MESSAGE, "E1")
    store.zadd("ready", {MESSAGE.conversation_id: time.time() + 30})

    assert inbox.accept(dataclasses.replace(MESSAGE, id="slack:T1:C1:2.0"), "E2") is Accepted.NEW
    assert inbox.accept(MESSAGE, "E1") is Accepted.KNOWN
    assert hints.answers == [MESSAGE.conversation_id]


def test_messages_wait_in_the_order_of_the_platforms_time(inbox: Inbox, store: redis.Redis) -> None:
    late = dataclasses.replace(MESSAGE, id="b", sent_at=200.0)
    early = dataclasses.replace(MESSAGE, id="a", sent_at=150.0)

    inbox.accept(late, "Ev1")
    inbox.accept(early, "Ev2")

    assert store.zrange(f"inbox:{MESSAGE.conversation_id}", 0, -1) == ["a", "b"]


def test_a_full_inbox_says_so_and_claims_no_key(inbox: Inbox, store: redis.Redis) -> None:
    for number in range(ROOM):
        inbox.accept(dataclasses.replace(MESSAGE, id=f"m{number}"), f"Ev{number}")

    one_more = dataclasses.replace(MESSAGE, id="one more")
    assert inbox.accept(one_more, "EvX") is Accepted.FULL
    assert not store.exists("seen:EvX", "seen:one more")


def test_a_full_inbox_has_the_person_told_once_in_a_while(
    inbox: Inbox, store: redis.Redis, hints: RecordedHints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inbox.ROOM", 1)
    monkeypatch.setattr("bot.inbox.time.time", lambda: 1.7e9)
    for number in range(4):
        inbox.accept(dataclasses.replace(MESSAGE, id=f"m{number}"), f"Ev{number}")
    monkeypatch.setattr("bot.inbox.time.time", lambda: 1.7e9 + SAY_FULL_EVERY_S)
    inbox.accept(dataclasses.replace(MESSAGE, id="later"), "EvL")

    told = [Command.from_json(event) for event in store.hvals("controls")]
    assert [(event.name, event.language, event.reply_to) for event in told] == [("full", "ja", MESSAGE.reply_to)] * 2
    assert set(hints.acts) == set(store.hkeys("controls"))


def test_where_too_many_conversations_wait_no_further_one_is_taken_in_and_nobody_is_told(
    inbox: Inbox, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inbox.MOST_READY", 2)
    for number in range(2):
        inbox.accept(dataclasses.replace(MESSAGE, id=f"m{number}", conversation_id=f"c{number}"), f"Ev{number}")
    before = store.keys()

    one_more = dataclasses.replace(MESSAGE, id="m2", conversation_id="c2")
    assert inbox.accept(one_more, "Ev2") is Accepted.FULL
    assert sorted(store.keys()) == sorted(before)
    assert inbox.accept(dataclasses.replace(one_more, conversation_id="c1"), "Ev2") is Accepted.NEW


def test_a_store_that_is_down_is_an_error_and_not_an_acceptance(hints: RecordedHints) -> None:
    inbox = Inbox(connect("unix:///nowhere/store.sock"), hints)

    with pytest.raises(StoreUnavailable):
        inbox.accept(MESSAGE, "Ev1")
    assert hints.answers == []


def test_a_full_store_is_an_error_and_loses_nothing(
    inbox: Inbox, store: redis.Redis, request: pytest.FixtureRequest
) -> None:
    store.config_set("maxmemory", "1")
    request.addfinalizer(_unbounded(store))

    with pytest.raises(StoreUnavailable):
        inbox.accept(MESSAGE, "Ev1")

    store.config_set("maxmemory", "0")
    assert inbox.accept(MESSAGE, "Ev1") is Accepted.NEW


def test_a_control_event_is_taken_in_once(inbox: Inbox, store: redis.Redis) -> None:
    stop = Command("slack", "c", "slack:U1", "stop", "", "ja", 100.0, {})

    assert inbox.control(stop, "Ev1") is Accepted.NEW
    assert inbox.control(stop, "Ev1") is Accepted.KNOWN
    assert store.hlen("controls") == 1


def _unbounded(store: redis.Redis) -> Callable[[], object]:
    return lambda: store.config_set("maxmemory", "0")


def test_where_somebody_spoke_is_known_longer_than_a_conversation_lives_and_not_for_ever(
    inbox: Inbox, store: redis.Redis
) -> None:
    inbox.accept(MESSAGE, "Ev1")

    assert 365 * 24 * 3600 < store.ttl(f"spoke:{MESSAGE.user_id}") <= 400 * 24 * 3600
