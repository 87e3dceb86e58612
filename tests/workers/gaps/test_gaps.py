"""What the documents do not answer is noted with its question, and goes with everything else of who asked it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import redis

from bot.messages import Deletion, Edit, Reply
from knowledge.retrieval import Retriever
from tests.fakes.model import Script
from tests.stored import everything_in
from tests.workers.desk import ANSWER, LIFE_S, C, at_work, make_clerk, make_desk, order, saying
from tests.workers.gaps.asking_in_vain import VAIN, answer_the_gap, ask, sort
from tests.workers.making import accept, message
from workers.acting import act
from workers.answer import Answer
from workers.batches import Batches
from workers.gaps.gap import Gap, Topic, gap_of
from workers.gaps.gaps import Gaps
from workers.services import Desk
from workers.serving import answer_next


@pytest.fixture
def gaps(store: redis.Redis) -> Gaps:
    return Gaps(store)


def gap(number: int, *, conversation: str = C, user: str = "console:u1", why: str = "not found") -> Gap:
    facts = ("console", conversation, user, {"session": "u1"}, ("public",), "ja", float(number))
    return Gap((f"console:g{number}",), (f"質問{number}",), *facts, why=why)  # type: ignore[arg-type]


def note(store: redis.Redis, *noted: Gap) -> None:
    for one in noted:
        store.set(f"about:{one.id}", one.conversation_id)  # it was answered
        assert Gaps(store).note(one)


def test_a_question_that_nothing_is_found_for_is_noted(store: redis.Redis, desk: Desk, gaps: Gaps) -> None:
    said = ask(store, desk, message(VAIN))

    (noted,) = gaps.all()
    assert (noted.id, noted.question, noted.user_id, noted.why) == (said.id, VAIN, said.user_id, "not found")
    assert noted.reply_to == said.reply_to
    assert "members" in noted.audience


@pytest.mark.parametrize("text", ["経費の締め日はいつですか？", "こんにちは"])
def test_what_is_answered_and_what_is_no_question_is_not(store: redis.Redis, desk: Desk, gaps: Gaps, text: str) -> None:
    ask(store, desk, message(text))

    assert gaps.all() == []


def test_a_worker_that_was_killed_before_the_end_leaves_one_gap_to_its_successor(
    store: redis.Redis, desk: Desk, gaps: Gaps
) -> None:
    accept(store, message(VAIN))
    batch = Batches(store, LIFE_S).take(C)
    assert batch is not None
    batch.journal.write(answer=Answer(Reply("資料には見つかりませんでした。"), not_found=True).to_json())
    store.delete(f"lock:{C}")
    assert gaps.all() == []

    answer_next(C, desk)
    answer_next(C, desk)

    assert [noted.question for noted in gaps.all()] == [VAIN]


def test_what_is_erased_while_it_is_answered_is_not_noted(store: redis.Redis, desk: Desk, gaps: Gaps) -> None:
    said = message(VAIN)
    accept(store, said)
    batches = Batches(store, LIFE_S)
    batch = batches.take(C)
    assert batch is not None
    noted = gap_of(batch, desk.senders["console"])
    with store.pipeline() as behind:  # as erase.lua leaves it when the worker is too late to see
        behind.hdel(f"messages:{C}", said.id)
        behind.execute()

    batches.finish(batch, (), gap=noted)

    assert gaps.all() == []


def test_an_edit_on_the_way_is_noted_in_its_new_words(store: redis.Redis, desk: Desk, gaps: Gaps) -> None:
    said = message(VAIN)
    accept(store, said)
    batches = Batches(store, LIFE_S)
    batch = batches.take(C)
    assert batch is not None
    store.hset(f"messages:{C}", said.id, replace(said, text="新しい言葉").to_json())

    batches.finish(batch, (), gap=gap_of(batch, desk.senders["console"]))

    (noted,) = gaps.all()
    assert noted == replace(gap_of(batch, desk.senders["console"]), texts=("新しい言葉",), at=noted.at)


def test_forget_takes_a_persons_gaps_and_nobody_elses(store: redis.Redis, desk: Desk, gaps: Gaps) -> None:
    ask(store, desk, message(VAIN))
    other = ask(store, desk, message("屋上の駐輪場の鍵はどこですか？", user="console:u2", conversation="console:c2"))
    sort(store)

    act("order 1", order("forget"), make_clerk(store))

    assert [noted.id for noted in gaps.all()] == [other.id]
    assert list(gaps.numbers()) == [other.id]
    assert VAIN not in everything_in(store)


def test_forget_takes_a_gap_whose_answer_is_under_way_to_its_asker(store: redis.Redis, desk: Desk) -> None:
    said = ask(store, desk, message(VAIN))
    answer_the_gap(store)
    store.hset(f"telling:{said.id}", "parts", f'["{VAIN}"]')

    act("order 1", order("forget"), make_clerk(store))

    assert VAIN not in everything_in(store)


def test_a_deleted_message_takes_its_gap_along(store: redis.Redis, desk: Desk, gaps: Gaps) -> None:
    first, second = message("食堂について"), message(VAIN)
    accept(store, first, second)
    answer_next(C, desk)
    assert gaps.all()[0].texts == (first.text, second.text)

    act("d1", Deletion("console", C, first.user_id, first.id, time.time()), make_clerk(store))

    assert gaps.all() == []
    assert first.text not in everything_in(store)


def test_an_edit_words_a_gap_anew_and_has_it_sorted_anew(store: redis.Redis, desk: Desk, gaps: Gaps) -> None:
    said = ask(store, desk, message(VAIN))
    sort(store)

    act("e1", Edit("console", C, said.user_id, said.id, "からあげは？", time.time()), make_clerk(store))

    assert gaps.all()[0].question == "からあげは？"
    assert gaps.unsorted() == 1


def test_a_reset_leaves_a_gap(store: redis.Redis, desk: Desk, gaps: Gaps) -> None:
    ask(store, desk, message(VAIN))

    act("order 1", order("reset"), make_clerk(store))

    assert len(gaps.all()) == 1


def test_a_vote_is_noted_once_and_only_on_what_is_remembered(store: redis.Redis, gaps: Gaps) -> None:
    note(store, gap(1, why="vote"), gap(1, why="vote"))

    assert not gaps.note(gap(2, why="vote"))

    assert [noted.why for noted in gaps.all()] == ["vote"]


def test_an_answer_under_way_when_its_asker_is_forgotten_leaves_no_gap(
    store: redis.Redis, retriever: Retriever, gaps: Gaps
) -> None:
    accept(store, message())
    with saying(Script("根拠のない作り話が九十九個あります。", seconds_per_piece=0.005)) as generator:
        desk = make_desk(store, retriever, generator)
        with at_work(desk):
            act("order 1", order("forget"), make_clerk(store))

    assert gaps.all() == []


def test_what_is_too_old_goes(store: redis.Redis, gaps: Gaps) -> None:
    note(store, gap(1), gap(2), gap(3))

    assert gaps.drop_oldest(before=2.0) == 2

    assert [noted.at for noted in gaps.all()] == [3.0]
    assert store.zrange(f"gaps_in:{C}", 0, -1) == ["console:g3"]
    assert store.zrange("gaps:since", 0, -1) == ["console:g3"]


def test_who_asks_without_end_drives_out_only_themselves(store: redis.Redis, gaps: Gaps) -> None:
    note(store, gap(1, conversation="console:quiet"))
    note(store, *(gap(number) for number in range(2, 9)))

    gaps.drop_oldest(before=0.0, most=4)

    assert [noted.at for noted in gaps.all()] == [8.0, 7.0, 6.0, 1.0]


def test_a_gap_of_a_newer_version_is_left_out(store: redis.Redis, gaps: Gaps) -> None:
    note(store, gap(1), gap(2))
    store.hset("gaps", "console:g2", gap(2).to_json().replace('"v": 1', '"v": 99'))

    assert [noted.id for noted in gaps.all()] == ["console:g1"]


def test_the_answer_is_for_members_unless_somebody_else_asked() -> None:
    member, guest = replace(gap(1), audience=("members", "public")), gap(2)

    assert Topic(1, (member,)).audience == {"members"}
    assert Topic(1, (member, guest)).audience == {"public"}


def test_what_the_model_was_right_about_is_no_gap(store: redis.Redis, retriever: Retriever, gaps: Gaps) -> None:
    with saying(Script(ANSWER)) as generator:
        ask(store, make_desk(store, retriever, generator), message())

    assert gaps.all() == []
