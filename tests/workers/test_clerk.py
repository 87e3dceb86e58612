"""The tick finds what a lost hint or a dead worker left lying, and one bad record does not stop it."""

from __future__ import annotations

import time

import pytest
import redis
from celery import Celery

from bot.queue import ACT, REPLIES, celery_app
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.workers.desk import (
    LIFE_S,
    C,
    HeardHints,
    command,
    from_line,
    line_sender,
    make_clerk,
    order,
    page,
    pause_s,
    until,
)
from tests.workers.letters import a_question_dies
from tests.workers.making import accept, message
from workers.acting import act
from workers.batches import Batches
from workers.clerk import AGAIN_AFTER_S, MOST_UNREAD, OVERDUE_S, Tick, register
from workers.due_times import DueTimes
from workers.phrases import phrase
from workers.services import Clerk


@pytest.fixture
def clerk(store: redis.Redis) -> Clerk:
    return make_clerk(store)


def make_tick(clerk: Clerk) -> Tick:
    return Tick(clerk, DueTimes(clerk.store, Batches(clerk.store, LIFE_S), clerk.senders), LIFE_S)


def hints(clerk: Clerk) -> HeardHints:
    assert isinstance(clerk.hints, HeardHints)
    return clerk.hints


def test_a_question_whose_hint_was_lost_is_hinted_at_again(store: redis.Redis, clerk: Clerk) -> None:
    accept(store, message())

    make_tick(clerk).tick()

    assert hints(clerk).answers == [C]


def test_what_was_hinted_at_is_left_alone_for_a_while(store: redis.Redis, clerk: Clerk) -> None:
    accept(store, message())
    tick = make_tick(clerk)

    tick.tick()
    tick.tick()

    assert hints(clerk).answers == [C]
    assert AGAIN_AFTER_S - 5 < pause_s(store, C) <= AGAIN_AFTER_S


def test_what_a_worker_holds_is_left_to_it(store: redis.Redis, clerk: Clerk) -> None:
    accept(store, message())
    Batches(store, LIFE_S).take(C)

    make_tick(clerk).tick()

    assert hints(clerk).answers == []


def test_what_a_dead_worker_held_is_hinted_at(store: redis.Redis, clerk: Clerk) -> None:
    accept(store, message())
    Batches(store, LIFE_S).take(C)
    store.delete(f"lock:{C}")

    make_tick(clerk).tick()

    assert hints(clerk).answers == [C]


def test_what_was_handed_back_for_later_is_left_until_then(store: redis.Redis, clerk: Clerk) -> None:
    accept(store, message())
    batches = Batches(store, LIFE_S)
    batch = batches.take(C)
    assert batch is not None
    batches.hand_back(batch, after_s=60, forgive=True)

    make_tick(clerk).tick()

    assert hints(clerk).answers == []


def test_while_hints_lie_unread_no_more_are_given(store: redis.Redis, clerk: Clerk) -> None:
    accept(store, message())
    store.lpush(REPLIES, "a hint")

    make_tick(clerk).tick()

    assert hints(clerk).answers == []


def test_while_hints_lie_unread_what_a_dead_worker_held_is_hinted_at(store: redis.Redis, clerk: Clerk) -> None:
    accept(store, message())
    Batches(store, LIFE_S).take(C)
    store.delete(f"lock:{C}")
    store.lpush(REPLIES, "a hint")

    make_tick(clerk).tick()

    assert hints(clerk).answers == [C]


def test_while_hints_lie_unread_what_is_overdue_is_hinted_at(store: redis.Redis, clerk: Clerk) -> None:
    accept(store, message())
    store.zadd("ready", {C: time.time() - OVERDUE_S - 1})
    store.lpush(REPLIES, "a hint")

    make_tick(clerk).tick()

    assert hints(clerk).answers == [C]


def test_unread_hints_do_not_pile_up_without_end(store: redis.Redis, clerk: Clerk) -> None:
    accept(store, message())
    store.zadd("ready", {C: time.time() - OVERDUE_S - 1})
    store.lpush(REPLIES, *["a hint"] * (MOST_UNREAD + 1))

    make_tick(clerk).tick()

    assert hints(clerk).answers == []


def test_what_waits_for_its_hint_to_be_read_becomes_overdue(store: redis.Redis, clerk: Clerk) -> None:
    accept(store, message())
    since = store.zscore("ready", C)
    store.lpush(REPLIES, "a hint")

    make_tick(clerk).tick()

    assert store.zscore("ready", C) == since


def test_an_order_whose_hint_was_lost_is_hinted_at_again(store: redis.Redis, clerk: Clerk) -> None:
    command(store, order("reset"), "order 1")

    make_tick(clerk).tick()

    assert hints(clerk).acts == ["order 1"]


def test_one_record_that_cannot_be_read_does_not_keep_the_others_waiting(store: redis.Redis, clerk: Clerk) -> None:
    odd = message(conversation="console:odd")
    accept(store, odd, message())
    store.hset("messages:console:odd", odd.id, odd.to_json().replace('"v": 1', '"v": 9'))

    make_tick(clerk).tick()

    assert C in hints(clerk).answers


def test_the_tick_has_the_file_rewritten_without_what_was_erased(store: redis.Redis, clerk: Clerk) -> None:
    act("order 1", order("forget"), clerk)
    tick = make_tick(clerk)
    store.config_resetstat()

    def rewritten() -> bool:
        tick.tick()
        return not store.exists("rewrite")

    until(rewritten)  # another test's rewriting may be under way

    assert "cmdstat_bgrewriteaof" in store.info("commandstats")


def test_the_clerk_sees_to_a_token_that_dies(store: redis.Redis, line: FakeLine) -> None:
    said = from_line(line, "質問", age_s=50)
    accept(store, said)

    make_tick(make_clerk(store, {"line": line_sender(line, store)})).see_to_due_times()

    assert len(line.visible(USER)) == 1


def test_a_tick_that_fails_is_not_the_last(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hinted(BaseException):
        """The way out of the endless tick."""

    class Leaves(HeardHints):
        def answer(self, conversation_id: str) -> None:
            raise Hinted

    monkeypatch.setattr("workers.clerk.TICK_EVERY_S", 0.01)
    accept(store, message())
    store.zadd("ready", {C: time.time() + 0.05, "console:broken": time.time() + 60})
    store.set("messages:console:broken", "of a wrong type")

    tick = make_tick(make_clerk(store, hints=Leaves()))
    with pytest.raises(Hinted):
        tick._repeat(tick.tick)


def test_the_clerks_task_carries_out_an_order(store: redis.Redis, store_url: str, clerk: Clerk) -> None:
    app: Celery = celery_app(store_url)
    register(app, clerk)
    command(store, order("help"), "order 1")

    app.tasks[ACT].apply(args=["order 1"]).get()

    assert ("notice", phrase("help", "ja")) in page(store)
    assert not store.exists("controls")


def test_dead_letters_are_kept_as_long_as_conversations(store: redis.Redis, clerk: Clerk) -> None:
    old, apologised, silent = (message(conversation=f"console:c{n}") for n in range(3))
    for said in (old, apologised, silent):
        a_question_dies(store, said, apologised=said is apologised)
    store.zadd("dead:since", {old.id: time.time() - LIFE_S - 1}, xx=True)

    make_tick(clerk).tick()

    assert store.hkeys("dead") == [apologised.id, silent.id]
