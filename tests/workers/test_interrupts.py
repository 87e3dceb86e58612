"""A stop, an edit and a deletion reach an answer that is being written, and one that waits to be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from bot.errors import LockLost
from bot.messages import Deletion, Edit, Message
from knowledge.retrieval import Retriever
from tests.fakes.model import Script, ScriptedGenerator
from tests.workers.desk import (
    ANSWER,
    C,
    HeardHints,
    answers,
    at_work,
    everything,
    make_clerk,
    make_desk,
    order,
    saying,
    serving,
)
from tests.workers.making import accept, message
from workers.acting import act
from workers.conversation import Turn
from workers.generation import Prompt
from workers.interrupts import POLL_EVERY_S, Watch
from workers.phrases import phrase
from workers.services import Clerk, Desk
from workers.serving import answer_next

STOPPED = phrase("stopped", "ja")
RECEIPTS = "領収書は総務部の青い箱に入れます。"
SLOW = Script(ANSWER, hangs=True)
"""Says the answer, and would go on for ever."""


@pytest.fixture
def clerk(store: redis.Redis) -> Clerk:
    return make_clerk(store)


@pytest.fixture
def hanging(store: redis.Redis, retriever: Retriever) -> Iterator[Desk]:
    """A worker whose model does not end, unless it is asked about receipts."""
    with saying(Script(RECEIPTS, matches=only_receipts), SLOW) as generator:
        yield make_desk(store, retriever, generator)


def only_receipts(prompt: Prompt) -> bool:
    return "締め日はいつ" not in prompt.messages[-1].text


def edit(said: Message, text: str) -> Edit:
    return Edit(said.platform, said.conversation_id, said.user_id, said.id, text, said.sent_at + 1)


def deletion(said: Message) -> Deletion:
    return Deletion(said.platform, said.conversation_id, said.user_id, said.id, said.sent_at + 1)


def test_a_stop_ends_the_running_answer_with_what_is_there(store: redis.Redis, hanging: Desk, clerk: Clerk) -> None:
    accept(store, message())

    with at_work(hanging):
        act("stop 1", order("stop"), clerk)

    (text,) = answers(store)
    assert text.endswith(STOPPED)
    assert ANSWER.startswith(text.removesuffix(STOPPED).strip())
    assert not store.exists(f"inbox:{C}")


def test_a_stop_reaches_what_still_waits(store: redis.Redis, hanging: Desk, clerk: Clerk) -> None:
    accept(store, message())

    act("stop 1", order("stop"), clerk)
    answer_next(C, hanging)

    assert answers(store) == [STOPPED]


def test_a_stop_reaches_what_waits_behind_the_running_answer(store: redis.Redis, hanging: Desk, clerk: Clerk) -> None:
    accept(store, message())
    with at_work(hanging):
        accept(store, message("もう一つの質問"))
        act("stop 1", order("stop"), clerk)

    answer_next(C, hanging)

    assert answers(store)[-1] == STOPPED
    assert not store.exists(f"inbox:{C}")


def test_a_stop_does_not_reach_what_somebody_else_asked_and_waits_for(
    store: redis.Redis, hanging: Desk, clerk: Clerk
) -> None:
    accept(store, message())
    with at_work(hanging):
        accept(store, message("領収書はどこに出しますか？", user="console:u2"))
        act("stop 1", order("stop"), clerk)

    answer_next(C, hanging)

    assert answers(store)[-1] == RECEIPTS


def test_a_stop_does_not_reach_what_is_asked_after_it(store: redis.Redis, hanging: Desk, clerk: Clerk) -> None:
    first = message()
    accept(store, first)
    act("stop 1", order("stop", sent_at=first.sent_at), clerk)
    answer_next(C, hanging)
    accept(store, message("領収書はどこに出しますか？"))

    answer_next(C, hanging)

    assert answers(store) == [STOPPED, RECEIPTS]


def test_a_stop_while_the_model_loads_is_not_answered_later(store: redis.Redis, clerk: Clerk, desk: Desk) -> None:
    assert isinstance(desk.generator, ScriptedGenerator)
    accept(store, message())
    desk.generator.ready = False

    with serving(desk):
        act("stop 1", order("stop"), clerk)
    desk.generator.ready = True
    answer_next(C, desk)

    assert answers(store) == [STOPPED]


def test_a_question_edited_while_it_is_answered_is_answered_in_its_new_words(
    store: redis.Redis, hanging: Desk, clerk: Clerk
) -> None:
    said = message("経費の締め日はいつですか？")
    accept(store, said)

    with at_work(hanging):
        act("edit 1", edit(said, "領収書はどこに出しますか？"), clerk)
    assert answers(store) == []
    answer_next(C, hanging)

    assert answers(store) == [RECEIPTS]
    assert hanging.conversations.load(C).questions() == ("領収書はどこに出しますか？",)
    assert "締め日はいつですか" not in everything(store)


def test_an_edit_does_not_cost_an_attempt(store: redis.Redis, hanging: Desk, clerk: Clerk) -> None:
    said = message()
    accept(store, said)

    with at_work(hanging):
        act("edit 1", edit(said, "領収書はどこに出しますか？"), clerk)

    assert not store.exists(f"attempts:{C}", f"lock:{C}")
    assert isinstance(hanging.hints, HeardHints)
    assert hanging.hints.answers == [C]


def test_a_stop_after_an_edit_is_not_lost(store: redis.Redis, hanging: Desk, clerk: Clerk) -> None:
    said = message()
    accept(store, said)
    with at_work(hanging):
        act("stop 1", order("stop"), clerk)
        act("edit 1", edit(said, "締め日はいつですか？"), clerk)

    if store.exists(f"inbox:{C}"):
        answer_next(C, hanging)

    assert answers(store)[-1].endswith(STOPPED)


def test_what_is_edited_while_its_answer_is_on_the_way_is_remembered_in_the_new_words(
    store: redis.Redis, desk: Desk, clerk: Clerk
) -> None:
    said = message("秘密の言葉と締め日")
    accept(store, said)
    batch = desk.batches.take(C)
    assert batch is not None
    act("edit 1", edit(said, "締め日はいつですか？"), clerk)

    desk.batches.finish(batch, [Turn("user", (said.text,), said.user_id, tuple(batch.ids))])

    assert desk.conversations.load(C).questions() == ("締め日はいつですか？",)
    assert "秘密の言葉" not in everything(store)


def test_an_edit_between_the_last_word_and_the_delivery_is_not_overlooked(
    store: redis.Redis, retriever: Retriever, clerk: Clerk
) -> None:
    said = message("経費の締め日はいつですか？")
    accept(store, said)

    def say_and_be_edited(_prompt: object) -> str:
        act("edit 1", edit(said, "領収書はどこに出しますか？"), clerk)
        return ANSWER

    scripts = Script(RECEIPTS, matches=only_receipts), Script(say_and_be_edited)
    with saying(*scripts) as generator:
        desk = make_desk(store, retriever, generator)
        answer_next(C, desk)
        answer_next(C, desk)

    assert answers(store) == [RECEIPTS]


def test_a_question_deleted_while_it_is_answered_leaves_nothing_anywhere(
    store: redis.Redis, hanging: Desk, clerk: Clerk
) -> None:
    said = message("ないしょの締め日はいつですか？")
    accept(store, said)

    with at_work(hanging):
        act("deletion 1", deletion(said), clerk)
    answer_next(C, hanging)

    assert answers(store) == []
    assert "ないしょ" not in everything(store)
    assert not store.exists("ready", f"lock:{C}", f"batch:{C}", f"attempts:{C}", f"turns:{C}")


def test_a_deleted_answer_is_not_given_to_the_next_question(
    store: redis.Redis, retriever: Retriever, clerk: Clerk
) -> None:
    said = message("ないしょの締め日はいつですか？")
    accept(store, said)

    def say_and_be_deleted(_prompt: object) -> str:
        act("deletion 1", deletion(said), clerk)
        store.delete(f"interrupt:{C}")
        return ANSWER

    scripts = Script(RECEIPTS, matches=only_receipts), Script(say_and_be_deleted)
    with saying(*scripts) as generator:
        desk = make_desk(store, retriever, generator)
        answer_next(C, desk)
        store.delete(*store.scan_iter("passage:*"))  # the document's page has these words too
        assert ANSWER not in everything(store)
        accept(store, message("領収書はどこに出しますか？"))
        answer_next(C, desk)

    assert answers(store) == [RECEIPTS]


def test_nothing_is_written_about_an_erased_batch_and_nothing_sent(store: redis.Redis, desk: Desk) -> None:
    said = message("ないしょ")
    accept(store, said)
    batch = desk.batches.take(C)
    assert batch is not None
    desk.conversations.erase(C, message_ids=[said.id])

    with pytest.raises(LockLost):
        batch.journal.write(answer=ANSWER)
    with pytest.raises(LockLost):
        batch.journal.check()
    assert not store.exists(f"batch:{C}")


def test_an_answer_whose_prompt_holds_what_somebody_forgets_is_begun_anew(
    store: redis.Redis, hanging: Desk, clerk: Clerk
) -> None:
    accept(store, message("領収書のないしょの提出先は？", user="console:u2"))
    answer_next(C, hanging)
    accept(store, message())
    with at_work(hanging):
        act("order 1", order("forget", user="console:u2"), clerk)

    with at_work(hanging):
        act("order 2", order("stop"), clerk)

    assert isinstance(hanging.generator, ScriptedGenerator)
    before, after = (str(prompt.messages) for prompt in hanging.generator.prompts[-2:])
    assert "ないしょ" in before
    assert "ないしょ" not in after


def test_deleting_what_waits_behind_leaves_the_running_answer_alone(
    store: redis.Redis, desk: Desk, clerk: Clerk
) -> None:
    accept(store, message())
    batch = desk.batches.take(C)
    assert batch is not None
    batch.journal.write(sent=1)
    behind = message("消す質問", user="console:u2")
    accept(store, behind)

    act("deletion 1", deletion(behind), clerk)

    batch.journal.check()
    assert batch.journal.read() == {"sent": 1}


def test_deleting_what_ended_workers_does_not_burden_the_next_question(
    store: redis.Redis, desk: Desk, clerk: Clerk
) -> None:
    killer = message("困った質問")
    accept(store, killer)
    for _ in range(3):
        desk.batches.take(C)
        store.delete(f"lock:{C}")

    act("deletion 1", deletion(killer), clerk)
    accept(store, message())
    answer_next(C, desk)

    assert answers(store) == [ANSWER]


def test_one_of_two_merged_questions_deleted_leaves_the_other_to_be_answered(
    store: redis.Redis, hanging: Desk, clerk: Clerk
) -> None:
    said, other = message("ないしょの締め日はいつですか？"), message("領収書の提出先は？")
    accept(store, said, other)
    with at_work(hanging):
        act("deletion 1", deletion(said), clerk)

    answer_next(C, hanging)

    assert answers(store) == [RECEIPTS]
    assert "ないしょ" not in everything(store)


def test_a_watch_does_not_ask_the_store_more_often_than_needed(store: redis.Redis, desk: Desk, clerk: Clerk) -> None:
    accept(store, message())
    batch = desk.batches.take(C)
    assert batch is not None
    watch = Watch(desk.interrupts, batch)
    assert watch.look() is None

    act("stop 1", order("stop"), clerk)

    assert POLL_EVERY_S > 0.1
    assert watch.look() is None
    assert Watch(desk.interrupts, batch).look() == "stop"
