"""A batch is answered once; on trouble it is handed back, and one that cannot be answered ends with an apology."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import redis

from bot.messages import Reply
from bot.store import connect
from knowledge.retrieval import Retriever, open_retriever
from knowledge.settings import KnowledgeSettings
from tests.fakes.model import Script
from tests.workers.desk import (
    ANSWER,
    C,
    a_worker_dies,
    answers,
    asked_times,
    at_work,
    dead_letters,
    hinted,
    make_desk,
    page,
    pause_s,
    saying,
)
from tests.workers.making import accept, message
from workers.answer import Answer
from workers.batches import Batches
from workers.gate import Gate
from workers.generation import GenerationFailed, Prompt
from workers.phrases import phrase
from workers.services import Desk
from workers.serving import answer_next, hand_back

APOLOGY = phrase("apology", "ja")
POST = "chat.postMessage"
LIFE_S = 3600


class SeenGate(Gate):
    """Remembers who wanted to be alone."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bool] = []

    @contextmanager
    def room(self, *, alone: bool, meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
        self.asked.append(alone)
        with super().room(alone=alone, meanwhile=meanwhile):
            yield


def test_a_question_is_answered_and_nothing_is_left_to_do(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())

    answer_next(C, desk)

    assert answers(store) == [ANSWER]
    assert not store.exists("ready", f"inbox:{C}", f"batch:{C}", f"lock:{C}", f"attempts:{C}")


def test_where_nothing_waits_nothing_happens(store: redis.Redis, desk: Desk) -> None:
    answer_next(C, desk)

    assert not store.keys()


def test_a_conversation_that_a_worker_has_is_left_to_it(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())
    desk.batches.take(C)

    answer_next(C, desk)

    assert answers(store) == []


def test_messages_of_one_person_get_one_answer(store: redis.Redis, desk: Desk) -> None:
    accept(store, message("経費のことですが"), message("締め日はいつですか？"))

    answer_next(C, desk)

    assert answers(store) == [ANSWER]
    assert store.zcard(f"inbox:{C}") == 0


def test_one_who_writes_much_does_not_own_a_thread_of_two(store: redis.Redis, desk: Desk) -> None:
    accept(store, *(message("締め日は？") for _ in range(10)), message("領収書は？", user="console:u2"))
    accept(store, *(message("締め日は？") for _ in range(10)))

    answer_next(C, desk)
    assert hinted(desk) == [C]
    answer_next(C, desk)

    others = [t.speaker for t in desk.conversations.load(C).turns if t.role == "user"]
    assert others == ["console:u1", "console:u2"]


def test_the_third_attempt_runs_alone(store: redis.Redis, desk: Desk) -> None:
    gate = SeenGate()
    accept(store, message())
    with saying(Script(error=GenerationFailed())) as broken:
        for _ in range(2):
            answer_next(C, replace(desk, gate=gate, generator=broken))

    answer_next(C, replace(desk, gate=gate))

    assert gate.asked == [False, False, True]
    assert answers(store) == [ANSWER]


def test_what_ended_three_workers_gets_an_apology_and_an_operators_eyes(store: redis.Redis, desk: Desk) -> None:
    accept(store, message("困った質問"))
    a_worker_dies(store, 3)

    answer_next(C, desk)

    assert answers(store) == [APOLOGY]
    assert asked_times(desk) == 0
    assert [letter["messages"][0]["text"] for letter in dead_letters(store)] == ["困った質問"]  # type: ignore[index]
    assert not store.exists("ready", f"inbox:{C}")


def test_a_model_that_fails_is_tried_three_times(store: redis.Redis, retriever: Retriever) -> None:
    accept(store, message())
    with saying(Script(error=GenerationFailed("no"))) as generator:
        desk = make_desk(store, retriever, generator)
        for _ in range(4):
            answer_next(C, desk)

    assert asked_times(desk) == 3
    assert answers(store) == [phrase("without_model", "ja", words=ANSWER)]
    assert dead_letters(store) == []


def test_after_an_apology_what_waits_behind_is_hinted_at(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())
    a_worker_dies(store, 3)
    accept(store, message("領収書は？", user="console:u2"))

    answer_next(C, desk)

    assert hinted(desk) == [C]


def test_a_stored_answer_is_delivered_and_not_written_again(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())
    batch = desk.batches.take(C)
    assert batch is not None
    batch.journal.write(answer=Answer(Reply("先の人が書いた答え")).to_json())
    store.delete(f"lock:{C}")

    answer_next(C, desk)

    assert answers(store) == ["先の人が書いた答え"]
    assert asked_times(desk) == 0


def test_without_an_index_the_person_is_told_and_the_attempt_does_not_count(
    store: redis.Redis, desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    accept(store, message())
    empty = KnowledgeSettings(_env_file=None, data_path=tmp_path_factory.mktemp("nothing"))  # type: ignore[call-arg]
    with open_retriever(empty) as blind:
        answer_next(C, replace(desk, retriever=blind))

    assert page(store)[-1] == ("waiting", phrase("no_index", "ja"))
    assert 0 < pause_s(store, C) <= 2
    assert not store.exists(f"attempts:{C}", f"lock:{C}")

    answer_next(C, desk)
    assert answers(store) == [ANSWER]


def test_a_full_model_is_asked_again_and_the_attempt_does_not_count(store: redis.Redis, retriever: Retriever) -> None:
    accept(store, message())
    with saying(Script(ANSWER), queue_limit=-1) as full:
        answer_next(C, make_desk(store, retriever, full))

    assert 0 < pause_s(store, C) <= 3
    assert not store.exists(f"attempts:{C}", f"lock:{C}")


def test_a_record_of_a_newer_version_waits_for_a_worker_of_it(store: redis.Redis, desk: Desk) -> None:
    said = message()
    accept(store, said)
    readable = store.hget(f"messages:{C}", said.id)
    store.hset(f"messages:{C}", said.id, said.to_json().replace('"v": 1', '"v": 9'))

    for _ in range(5):
        answer_next(C, desk)
    assert pause_s(store, C) > 50
    assert not store.exists(f"lock:{C}", f"attempts:{C}")
    store.hset(f"messages:{C}", said.id, readable)
    answer_next(C, desk)

    assert answers(store) == [ANSWER]


def test_who_lost_the_lock_says_nothing_more(store: redis.Redis, retriever: Retriever) -> None:
    accept(store, message())
    speaks_slowly = Script("経費は毎月25日まで。" * 9, seconds_per_piece=0.005)
    with saying(speaks_slowly) as slow, saying(Script(ANSWER)) as fast, at_work(make_desk(store, retriever, slow)):
        store.delete(f"lock:{C}")
        answer_next(C, make_desk(store, retriever, fast))

    assert page(store)[-1] == ("done", ANSWER)
    assert answers(store) == [ANSWER]


def test_a_batch_whose_lock_ran_out_is_free_at_once(store: redis.Redis, retriever: Retriever) -> None:
    accept(store, message())
    with saying(Script(ANSWER, seconds_per_piece=0.01)) as generator:
        desk = make_desk(store, retriever, generator)
        with at_work(desk):
            store.delete(f"lock:{C}")

        assert hinted(desk) == [C]
        assert store.get(f"attempts:{C}") == "1"
        answer_next(C, desk)

    assert answers(store) == [ANSWER]


def test_the_end_of_the_process_hands_everything_back(store: redis.Redis, retriever: Retriever) -> None:
    accept(store, message())
    with saying(Script(hangs=True)) as generator:
        desk = make_desk(store, retriever, generator)
        with at_work(desk):
            desk.interrupts.shutdown.set()

    assert pause_s(store, C) <= 0
    assert not store.exists(f"lock:{C}", f"attempts:{C}")
    assert hinted(desk) == []


def test_the_end_of_the_process_does_not_forget_a_stop(store: redis.Redis, retriever: Retriever) -> None:
    said = message()
    accept(store, said)
    with saying(Script(ANSWER, hangs=True)) as generator:
        desk = make_desk(store, retriever, generator)
        desk.interrupts.stop(C, said.user_id, said.sent_at + 1)
        desk.interrupts.shutdown.set()
        answer_next(C, desk)
        desk.interrupts.shutdown.clear()
        answer_next(C, desk)

    assert answers(store) == [phrase("stopped", "ja")]


def test_a_process_that_ends_does_not_wait_for_a_store_that_is_gone(
    store: redis.Redis, desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("workers.serving.ENDING_PATIENCE_S", 0.1)
    accept(store, message())
    batch = desk.batches.take(C)
    assert batch is not None
    desk.interrupts.shutdown.set()

    hand_back(batch, replace(desk, batches=Batches(connect("unix:///nowhere.sock"), LIFE_S)), after_s=0, forgive=True)

    assert "not handed back" in caplog.text
    assert store.exists(f"lock:{C}")


def test_a_store_that_is_away_for_a_moment_costs_no_attempt(
    store: redis.Redis, store_url: str, retriever: Retriever
) -> None:
    def go_away(_prompt: Prompt) -> str:
        store.client_pause(300)
        return ANSWER

    accept(store, message())
    with saying(Script(go_away)) as generator:
        desk = make_desk(connect(store_url, timeout_s=0.1), retriever, generator)
        answer_next(C, desk)
        assert not store.exists(f"lock:{C}", f"attempts:{C}")

        generator.scripts[:] = [Script(ANSWER)]
        answer_next(C, desk)

    assert answers(store) == [ANSWER]
