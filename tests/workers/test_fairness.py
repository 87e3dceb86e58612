"""One person never owns the model, and who fills a conversation is told so."""

from __future__ import annotations

import redis

from bot.inbox import ROOM, Inbox
from knowledge.retrieval import Retriever
from tests.fakes.model import Script
from tests.workers.desk import (
    ANSWER,
    LIFE_S,
    C,
    HeardHints,
    at_work,
    hinted,
    make_clerk,
    make_desk,
    page,
    pause_s,
    saying,
)
from tests.workers.flooding import A_MINUTE, threads, write
from tests.workers.making import message
from workers.acting import act
from workers.batches import MOST_HELD_OF_ONE_PERSON, Batches
from workers.controls import Controls
from workers.phrases import phrase
from workers.serving import answer_next


def test_of_one_person_only_so_many_batches_are_held_over_all_conversations(store: redis.Redis) -> None:
    asked = threads(5)
    write(store, asked, limit=0)
    batches = Batches(store, LIFE_S)

    taken = [batches.take(one.conversation_id) for one in asked]

    assert [batch is not None for batch in taken] == [True] * MOST_HELD_OF_ONE_PERSON + [False] * 3


def test_others_are_taken_meanwhile(store: redis.Redis) -> None:
    batches = Batches(store, LIFE_S)
    write(store, [*threads(5), message(user="console:u2")], limit=0)
    for number in range(5):
        batches.take(f"console:t{number}")

    assert batches.take(C) is not None


def test_what_is_held_up_is_due_again_soon(store: redis.Redis) -> None:
    write(store, threads(3), limit=0)
    batches = Batches(store, LIFE_S)
    for number in range(3):
        batches.take(f"console:t{number}")

    assert 0 < pause_s(store, "console:t2") < 10
    assert not store.exists("batch:console:t2", "attempts:console:t2", "lock:console:t2")


def test_when_a_batch_ends_the_persons_next_conversation_is_called_in(store: redis.Redis, retriever: Retriever) -> None:
    write(store, threads(4), limit=0)
    with saying(Script(ANSWER, seconds_per_piece=0.005)) as generator:
        desk = make_desk(store, retriever, generator)
        desk.batches.take("console:t0")
        with at_work(desk, "console:t1"):
            for held_up in ("console:t2", "console:t3"):
                answer_next(held_up, desk)

        assert hinted(desk) == ["console:t2"]
        answer_next("console:t2", desk)
        assert hinted(desk) == ["console:t2", "console:t3"]


def test_a_handed_back_batch_makes_room(store: redis.Redis) -> None:
    write(store, threads(3), limit=0)
    batches = Batches(store, LIFE_S)
    held = [batches.take(f"console:t{number}") for number in range(2)]
    assert held[0] is not None

    batches.hand_back(held[0], after_s=60, forgive=True)

    assert store.smembers("answering:console:u1") == {"console:t1"}
    assert batches.take("console:t2") is not None


def test_who_was_killed_holds_nothing(store: redis.Redis) -> None:
    write(store, threads(3), limit=0)
    batches = Batches(store, LIFE_S)
    for number in range(2):
        batches.take(f"console:t{number}")
    store.delete("lock:console:t0")  # its life is over

    assert batches.take("console:t2") is not None
    assert batches.take("console:t0") is None  # now two others are held


def test_notices_do_not_wait_behind_the_same_persons_answers(store: redis.Redis) -> None:
    write(store, threads(A_MINUTE))
    write(store, [message()])
    batches = Batches(store, LIFE_S)
    for number in range(2):
        assert batches.take(f"console:t{number}") is not None

    notice = batches.take(C)

    assert notice is not None
    assert notice.over_limit


def test_a_full_conversation_is_told_once_in_a_while_and_nothing_is_taken_in(store: redis.Redis) -> None:
    hints = HeardHints()
    inbox = Inbox(store, hints)
    for _ in range(ROOM):
        inbox.accept(message(), "d" + message().id)
    for _ in range(3):
        inbox.accept(message(), "d" + message().id)

    (control_id,) = set(hints.acts)
    clerk = make_clerk(store)
    assert Controls(store).carry_out(control_id, lambda name, event: act(name, event, clerk)) == "done"

    assert page(store) == [("notice", phrase("full", "ja"))]
    assert store.zcard(f"inbox:{C}") == ROOM
