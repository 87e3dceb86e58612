"""A batch is taken by one, answered once, in order, and handed on when its worker dies."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable

import pytest
import redis

from bot.errors import LockLost
from tests.workers.desk import until
from tests.workers.making import accept, message
from workers.batch import Batch
from workers.batches import GIVE_UP_FROM_ATTEMPT, LOCK_LIFE_S, MOST_MESSAGES, Batches
from workers.conversation import Conversations, Turn
from workers.interrupts import Interrupts
from workers.recalling import recalled

LIFE_S = 3600
C = "console:c1"


@pytest.fixture
def batches(store: redis.Redis) -> Batches:
    return Batches(store, LIFE_S)


def taken(batches: Batches) -> Batch:
    batch = batches.take(C)
    assert batch is not None
    return batch


def exchange(batch: Batch) -> list[Turn]:
    asked = Turn("user", tuple(m.text for m in batch.messages), batch.newest.user_id, tuple(batch.ids))
    return [asked, Turn("assistant", ("31日です。",), "assistant", tuple(batch.ids))]


def the_worker_dies(store: redis.Redis) -> None:
    """What the store looks like when a killed worker's lock has run out."""
    store.delete(f"lock:{C}")


def test_nothing_waits(batches: Batches) -> None:
    assert batches.take(C) is None


def test_one_conversation_is_taken_by_one_worker(store: redis.Redis, batches: Batches) -> None:
    accept(store, message())

    assert batches.take(C) is not None
    assert Batches(store, LIFE_S).take(C) is None


def test_a_batch_is_the_run_of_one_persons_messages_at_the_head(store: redis.Redis, batches: Batches) -> None:
    first, second = message("一つ目"), message("二つ目")
    other, third = message("別の人", user="console:u2"), message("三つ目")
    accept(store, third, other, first, second)

    assert taken(batches).text == "一つ目\n二つ目"


def test_a_batch_has_a_bound(store: redis.Redis, batches: Batches) -> None:
    accept(store, *(message() for _ in range(MOST_MESSAGES + 1)))

    assert len(taken(batches).messages) == MOST_MESSAGES


def test_finishing_remembers_the_turns_and_forgets_the_messages(store: redis.Redis, batches: Batches) -> None:
    accept(store, message())
    batch = taken(batches)

    assert batches.finish(batch, exchange(batch)) == 0

    assert [turn.role for turn in Conversations(store).load(C).turns] == ["user", "assistant"]
    assert not store.exists(f"inbox:{C}", f"messages:{C}", f"lock:{C}", f"batch:{C}", f"attempts:{C}")
    assert store.zcard("ready") == 0
    assert 0 < store.ttl(f"turns:{C}") <= LIFE_S


def test_what_came_meanwhile_waits_behind_and_its_conversation_stays_ready(
    store: redis.Redis, batches: Batches
) -> None:
    accept(store, message("一つ目"))
    batch = taken(batches)
    accept(store, message("二つ目"))

    assert batches.finish(batch, exchange(batch)) == 1
    assert taken(batches).text == "二つ目"


def test_after_a_death_the_same_messages_are_taken_again_and_none_that_came_later(
    store: redis.Redis, batches: Batches
) -> None:
    accept(store, message("一つ目"))
    dead = taken(batches)
    accept(store, message("二つ目"))
    the_worker_dies(store)

    again = taken(batches)

    assert (again.ids, again.attempt) == (dead.ids, 2)


def test_who_lost_the_lock_can_change_nothing(store: redis.Redis, batches: Batches) -> None:
    accept(store, message())
    slow = taken(batches)
    the_worker_dies(store)
    fast = taken(batches)

    for attempt in (slow.journal.check, lambda: slow.journal.write(sent=1), lambda: batches.finish(slow, [])):
        with pytest.raises(LockLost):
            attempt()
    batches.hand_back(slow, after_s=0, forgive=True)

    fast.journal.check()
    assert store.get(f"attempts:{C}") == "2"


def test_the_journal_goes_on_to_the_next_worker(store: redis.Redis, batches: Batches) -> None:
    accept(store, message())
    taken(batches).journal.write(answer="31日", sending=0)
    the_worker_dies(store)

    assert taken(batches).journal.read() == {"answer": "31日", "sending": 0}


def test_a_handed_back_batch_keeps_its_attempt_only_when_it_is_not_forgiven(
    store: redis.Redis, batches: Batches
) -> None:
    accept(store, message())
    batches.hand_back(taken(batches), after_s=0, forgive=True)
    batches.hand_back(taken(batches), after_s=0, forgive=False)

    assert taken(batches).attempt == 2


def test_a_handed_back_batch_is_due_later(store: redis.Redis, batches: Batches) -> None:
    accept(store, message())

    batches.hand_back(taken(batches), after_s=60, forgive=True)

    assert store.zscore("ready", C) > time.time() + 50


def test_holding_keeps_the_lock_beyond_its_life(
    store: redis.Redis, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.batches.RENEW_EVERY_S", 0.02)
    accept(store, message())
    batch = taken(batches)

    with batches.holding(batch):
        store.pexpire(f"lock:{C}", 100)
        until = time.monotonic() + 5
        while store.pttl(f"lock:{C}") < LOCK_LIFE_S * 500 and time.monotonic() < until:
            time.sleep(0.005)
        batch.journal.check()


def test_who_hangs_loses_the_lock(store: redis.Redis, batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.batches.RENEW_EVERY_S", 0.02)
    monkeypatch.setattr("workers.batches.LOCK_LIFE_S", 0.2)
    monkeypatch.setattr("workers.batches.HUNG_AFTER_S", 0.1)
    accept(store, message())
    hanging = taken(batches)

    with batches.holding(hanging):
        again = until(lambda: batches.take(C))
        with pytest.raises(LockLost):
            hanging.journal.check()

    assert again is not None
    again.journal.check()


def test_who_looks_up_while_it_waits_keeps_the_lock(
    store: redis.Redis, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.batches.RENEW_EVERY_S", 0.02)
    monkeypatch.setattr("workers.batches.HUNG_AFTER_S", 0.5)
    accept(store, message())
    waiting, interrupts = taken(batches), Interrupts(store)
    began = time.monotonic()

    with batches.holding(waiting):
        until(lambda: interrupts.about(waiting) or time.monotonic() > began + 1)
        store.pexpire(f"lock:{C}", 1000)
        until(lambda: interrupts.about(waiting) or store.pttl(f"lock:{C}") > 1000)


def test_who_is_about_to_call_a_platform_has_the_lock_for_its_whole_life(store: redis.Redis, batches: Batches) -> None:
    accept(store, message())
    batch = taken(batches)
    store.pexpire(f"lock:{C}", 1000)

    batch.journal.check()

    assert store.pttl(f"lock:{C}") > LOCK_LIFE_S * 500


def test_a_message_deleted_while_it_is_answered_is_not_remembered(store: redis.Redis, batches: Batches) -> None:
    accept(store, message())
    batch = taken(batches)
    Conversations(store).erase(C, message_ids=batch.ids)

    batches.finish(batch, exchange(batch))

    assert Conversations(store).load(C).turns == ()
    assert not store.keys(f"*{C}")


def test_an_answer_begun_before_a_reset_does_not_join_the_new_conversation(
    store: redis.Redis, batches: Batches
) -> None:
    accept(store, message())
    batch = taken(batches)
    Conversations(store).reset(C)

    batches.finish(batch, exchange(batch))

    assert Conversations(store).load(C).turns == ()


def test_what_is_given_up_is_a_dead_letter(store: redis.Redis, batches: Batches) -> None:
    accept(store, message("困った質問"))
    for _ in range(GIVE_UP_FROM_ATTEMPT - 1):
        taken(batches)
        the_worker_dies(store)
    batch = taken(batches)
    assert batch.attempt == GIVE_UP_FROM_ATTEMPT

    batches.finish(batch, (), dead="given up")

    letter = json.loads(store.hget("dead", batch.newest.id))
    assert (letter["reason"], letter["messages"][0]["text"]) == ("given up", "困った質問")


def test_the_cut_drops_the_oldest_turns_for_good(store: redis.Redis, batches: Batches) -> None:
    for text in ("一つ目", "二つ目"):
        accept(store, message(text))
        batch = taken(batches)
        batches.finish(batch, exchange(batch))
    accept(store, message("三つ目"))
    batch = taken(batches)

    batches.finish(batch, exchange(batch), cut=2)

    assert Conversations(store).load(C).questions(9) == ("二つ目", "三つ目")


def unsend(conversations: Conversations, message_id: str) -> None:
    conversations.erase(C, message_ids=[message_id])


def correct(conversations: Conversations, message_id: str) -> None:
    conversations.reword(C, message_id, "京都支社です。")


def leave(conversations: Conversations, message_id: str) -> None:
    assert conversations.load(C).turns[0].message_ids == (message_id,)


@pytest.mark.parametrize(("meanwhile", "left"), [(unsend, 0), (correct, 0), (leave, 1)])
def test_what_was_erased_while_the_answer_was_made_is_not_recalled(
    store: redis.Redis, batches: Batches, meanwhile: Callable[[Conversations, str], None], left: int
) -> None:
    conversations = Conversations(store)
    accept(store, message("大阪支社の佐藤です。"))
    batch = taken(batches)
    batches.finish(
        batch, [Turn("user", ("大阪支社の佐藤です。",), "console:u1", tuple(batch.ids)), *exchange(batch)[1:]]
    )
    accept(store, message("締め日は？"))
    second = taken(batches)
    asked, said = exchange(second)
    asked = dataclasses.replace(asked, recalled=recalled(conversations.load(C).turns))
    assert len(asked.recalled) == 1

    meanwhile(conversations, batch.ids[0])
    batches.finish(second, [asked, said], cut=2)

    assert sum(len(turn.recalled) for turn in conversations.load(C).turns) == left
