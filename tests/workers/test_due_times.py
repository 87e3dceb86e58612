"""A reply token that dies while its question waits is spent on a notice; nothing else changes."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
import redis

from bot.console.sender import ConsoleSender
from bot.messages import Message
from bot.platform import Sender
from bot.store import connect
from tests.fakes.line import LOADING, REPLY, FakeLine, Fault
from tests.fakes.line_events import USER
from tests.workers.desk import LIFE_S, from_line, line_sender, pause_s
from tests.workers.making import accept, message
from workers.batches import GIVE_UP_FROM_ATTEMPT, MOST_HELD_OF_ONE_PERSON, Batches
from workers.due_times import TOLD_AFTER_S, WINDOW_S, DueTimes

YOUNG_S, DYING_S, DEAD_S = 0.0, 50.0, 55.0 + WINDOW_S


@pytest.fixture
def due_times(store: redis.Redis, line: FakeLine) -> DueTimes:
    senders: dict[str, Sender] = {"line": line_sender(line, store), "console": ConsoleSender(store)}
    return DueTimes(store, Batches(store, LIFE_S), senders)


def asked(store: redis.Redis, line: FakeLine, age_s: float) -> Message:
    said = from_line(line, "質問", age_s=age_s)
    accept(store, said)
    return said


def test_a_token_that_dies_is_spent_on_a_notice_with_a_button(
    store: redis.Redis, line: FakeLine, due_times: DueTimes
) -> None:
    asked(store, line, DYING_S)

    due_times.see_to(time.time())

    assert len(line.visible(USER)) == 1
    assert len(line.buttons(USER)) == 1


def test_the_notice_is_shown_once(store: redis.Redis, line: FakeLine, due_times: DueTimes) -> None:
    asked(store, line, DYING_S)

    due_times.see_to(time.time())
    due_times.see_to(time.time())

    assert len(line.calls_of(REPLY)) == 1


@pytest.mark.parametrize("age_s", [YOUNG_S, DEAD_S])
def test_before_and_after_its_time_nothing_happens(
    store: redis.Redis, line: FakeLine, due_times: DueTimes, age_s: float
) -> None:
    asked(store, line, age_s)

    due_times.see_to(time.time())

    assert line.calls == []


def test_what_a_worker_holds_is_left_to_it(store: redis.Redis, line: FakeLine, due_times: DueTimes) -> None:
    said = asked(store, line, DYING_S)
    Batches(store, LIFE_S).take(said.conversation_id)

    due_times.see_to(time.time())

    assert line.calls == []


def test_the_question_waits_as_before(store: redis.Redis, line: FakeLine, due_times: DueTimes) -> None:
    said = asked(store, line, DYING_S)
    c = said.conversation_id
    store.set(f"attempts:{c}", 2)
    store.zadd("ready", {c: time.time() + 30})

    due_times.see_to(time.time())

    assert store.get(f"attempts:{c}") == "2"
    assert not store.exists(f"lock:{c}")
    assert 25 < pause_s(store, c) <= 30


def test_a_clerk_that_dies_over_a_due_time_costs_no_attempt(store: redis.Redis, store_url: str, line: FakeLine) -> None:
    said = asked(store, line, DYING_S)
    clerk = Batches(store, LIFE_S)
    for _ in range(GIVE_UP_FROM_ATTEMPT):
        assert clerk.take(said.conversation_id, only_to_look=True) is not None
        store.delete(f"lock:{said.conversation_id}")  # it was killed

    batch = Batches(store, LIFE_S).take(said.conversation_id)
    assert batch is not None
    assert batch.attempt == 1


def test_who_only_looks_is_not_held_up_by_the_persons_other_conversations(
    store: redis.Redis, line: FakeLine, due_times: DueTimes
) -> None:
    said = asked(store, line, DYING_S)
    for number in range(MOST_HELD_OF_ONE_PERSON):
        elsewhere = f"line:group{number}"
        accept(store, message(user=said.user_id, conversation=elsewhere))
        Batches(store, LIFE_S).take(elsewhere)

    due_times.see_to(time.time())

    assert len(line.visible(USER)) == 1


def test_a_notice_that_fails_leaves_the_question_waiting(
    store: redis.Redis, line: FakeLine, due_times: DueTimes
) -> None:
    said = asked(store, line, DYING_S)
    line.go_wrong(REPLY, Fault.RATE_LIMITED)

    due_times.see_to(time.time())

    batch = Batches(store, LIFE_S).take(said.conversation_id)
    assert batch is not None
    assert batch.attempt == 1


def test_what_nobody_foresaw_costs_no_other_conversation_its_time(
    store: redis.Redis, line: FakeLine, due_times: DueTimes
) -> None:
    accept(store, replace(message(), platform="line", reply_to={"reply_token": "of another shape"}))
    asked(store, line, DYING_S)

    due_times.see_to(time.time())

    assert len(line.visible(USER)) == 1


def test_a_platform_without_due_times_or_without_a_sender_is_left_alone(
    store: redis.Redis, store_url: str, line: FakeLine
) -> None:
    asked(store, line, DYING_S)
    accept(store, message())
    only_console = DueTimes(store, Batches(store, LIFE_S), {"console": ConsoleSender(connect(store_url))})

    only_console.see_to(time.time())

    assert line.calls == []
    assert not store.keys("lock:*")


def test_the_lock_is_kept_however_long_line_takes(
    store: redis.Redis, line: FakeLine, due_times: DueTimes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.batches.LOCK_LIFE_S", 0.2)
    monkeypatch.setattr("workers.batches.RENEW_EVERY_S", 0.02)
    asked(store, line, DYING_S)
    line.go_wrong(REPLY, Fault.SLOW)

    due_times.see_to(time.time())

    assert len(line.visible(USER)) == 1
    assert store.hget(f"batch:line:{USER}", "journal:notice") == '"sent"'


@pytest.mark.parametrize(
    ("replies", "told"),
    [
        (None, "ただいま準備をしています。"),
        ({"ready": False}, "モデルを読み込んでいます。"),
        ({"ready": False, "broken": True}, "いつもより時間がかかっています。"),
        ({"ready": True, "answer_s": 18.0, "at_once": 1}, "次の順番です。あと約20秒です。"),
    ],
)
def test_who_waits_is_told_for_how_long(
    store: redis.Redis, line: FakeLine, due_times: DueTimes, replies: dict[str, object] | None, told: str
) -> None:
    asked(store, line, DYING_S)
    if replies is not None:
        store.set("status:replies", json.dumps(replies))

    due_times.see_to(time.time())

    assert line.visible(USER)[0].startswith(told)


def test_who_is_behind_another_is_told_the_place(store: redis.Redis, line: FakeLine, due_times: DueTimes) -> None:
    accept(store, replace(message(conversation="console:before"), sent_at=time.time() - 600))
    asked(store, line, DYING_S)
    store.set("status:replies", json.dumps({"ready": True, "answer_s": 18.0, "at_once": 1}))

    due_times.see_to(time.time())

    assert "前に1件です。あと約40秒です。" in line.visible(USER)[0]


def test_a_question_that_no_worker_takes_shows_the_loading_animation_once(
    store: redis.Redis, line: FakeLine, due_times: DueTimes
) -> None:
    asked(store, line, YOUNG_S)

    due_times.see_to(time.time())
    assert line.calls == []

    for _ in range(3):
        due_times.see_to(time.time() + TOLD_AFTER_S + 1)
    assert [call.path for call in line.calls] == [LOADING]
    assert line.visible(USER) == []
