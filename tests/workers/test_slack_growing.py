"""On Slack an answer is seen growing, and is ended, given up or deleted without half of it staying behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import redis

from bot.messages import Command, Deletion, Message
from bot.slack import sender as slack_way_out
from knowledge.retrieval import Retriever
from tests.fakes.model import Script, ScriptedGenerator
from tests.fakes.slack import FakeSlack, Fault
from tests.workers.around import as_text, buttons
from tests.workers.desk import at_work, from_slack, make_clerk, make_desk, saying, serving, slack_sender, until
from tests.workers.making import accept
from workers.acting import act
from workers.batches import Batches
from workers.clerk import Tick
from workers.due_times import DueTimes
from workers.phrases import phrase
from workers.services import Clerk, Desk
from workers.serving import answer_next

QUESTION = "経費の締め日はいつですか？"
FIRST = "締め日は毎月25日です。"
GROWING = f"{FIRST}\n[growing]"
SET = "assistant.threads.setStatus"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def desk(store: redis.Redis, retriever: Retriever, slack: FakeSlack) -> Iterator[Desk]:
    """A worker whose model is silent after its first sentence."""
    with saying(Script(f"{FIRST}締め日は", hangs=True)) as generator:
        yield replace(make_desk(store, retriever, generator), senders={"slack": slack_sender(slack, store)})


@pytest.fixture
def clerk(store: redis.Redis, desk: Desk) -> Clerk:
    return make_clerk(store, desk.senders)


@pytest.fixture
def said(store: redis.Redis, slack: FakeSlack) -> Message:
    message = from_slack(slack, QUESTION)
    accept(store, message)
    return message


def tidy(clerk: Clerk) -> None:
    """The clerk looks for what is left over."""
    due_times = DueTimes(clerk.store, Batches(clerk.store, turns_life_s=60), clerk.senders)
    Tick(clerk, due_times, 60).tidy()


def pressed(said: Message) -> Command:
    """Somebody else in the thread presses the button."""
    at = said.sent_at + 1
    return Command("slack", said.conversation_id, "slack:U2", "stop", said.id, "ja", at, said.reply_to)


def by_word(said: Message) -> Command:
    """Its asker says the word."""
    return replace(pressed(said), user_id=said.user_id, argument="")


@pytest.mark.parametrize("how", [pressed, by_word])
@pytest.mark.parametrize("is_loaded", [True, False])
def test_however_an_answer_is_stopped_it_has_the_same_buttons(
    slack: FakeSlack, desk: Desk, clerk: Clerk, said: Message, how: Callable[[Message], Command], is_loaded: bool
) -> None:
    assert isinstance(desk.generator, ScriptedGenerator)
    desk.generator.ready = is_loaded
    with serving(desk, said.conversation_id):
        until(lambda: slack.visible("C1") and (GROWING in slack.visible("C1") or not is_loaded))
        act("stop 1", how(said), clerk)

    (answer,) = (message for message in slack.workspace.channels["C1"].messages if "bot_id" in message)
    assert phrase("stopped", "ja") in as_text(answer)
    assert "why" in buttons(answer)


def test_the_answer_grows_while_the_model_writes(slack: FakeSlack, desk: Desk, clerk: Clerk, said: Message) -> None:
    with serving(desk, said.conversation_id):
        until(lambda: slack.visible("C1") == [GROWING])
        act("stop 1", pressed(said), clerk)


def test_that_it_is_worked_on_is_seen_before_the_documents_are_searched(
    slack: FakeSlack, desk: Desk, clerk: Clerk, said: Message
) -> None:
    with serving(desk, said.conversation_id):
        until(lambda: slack.visible("C1"))
        act("stop 1", pressed(said), clerk)

    methods = [asked.method for asked in slack.asked]
    assert methods.index(SET) < methods.index("chat.postMessage")
    assert slack.workspace.channels["C1"].turns[0] == [
        phrase(name, "ja") for name in ("searching", "writing", "composing")
    ]


def test_anybody_in_the_thread_ends_it_by_the_button_and_what_was_shown_stays(
    slack: FakeSlack, desk: Desk, clerk: Clerk, said: Message
) -> None:
    with serving(desk, said.conversation_id):
        until(lambda: slack.visible("C1") == [GROWING])
        act("stop 1", pressed(said), clerk)

    (answer,) = slack.visible("C1")
    assert answer.startswith(f"{FIRST}\n{phrase('stopped', 'ja')}")


def test_slacks_own_button_ends_it_without_any_event(
    slack: FakeSlack, store: redis.Redis, retriever: Retriever, said: Message
) -> None:
    with saying(Script(FIRST * 200, seconds_per_piece=0.05)) as generator:
        desk = replace(make_desk(store, retriever, generator), senders={"slack": slack_sender(slack, store)})
        with serving(desk, said.conversation_id):
            until(lambda: slack.visible("C1") and slack.visible("C1")[0].endswith("[growing]"))
            (growing,) = (m for m in slack.workspace.channels["C1"].messages if "bot_id" in m)
            slack.workspace.stop_stream("C1", growing["ts"])

    (answer,) = slack.visible("C1")
    assert phrase("stopped", "ja") in answer
    assert answer.count(FIRST) < 200


def test_a_press_that_comes_too_late_is_answered_by_nothing(slack: FakeSlack, clerk: Clerk, store: redis.Redis) -> None:
    act("stop 1", pressed(from_slack(slack, QUESTION)), clerk)

    assert slack.visible("C1") == []


def test_a_question_that_is_deleted_takes_its_half_answer_along(
    slack: FakeSlack, desk: Desk, clerk: Clerk, said: Message
) -> None:
    with serving(desk, said.conversation_id):
        until(lambda: slack.visible("C1") == [GROWING])
        act("d 1", Deletion("slack", said.conversation_id, said.user_id, said.id, said.sent_at + 1), clerk)

    assert slack.visible("C1") == []


def test_an_older_message_of_a_batch_that_is_deleted_leaves_one_answer(
    slack: FakeSlack, store: redis.Redis, desk: Desk, clerk: Clerk, said: Message
) -> None:
    later = from_slack(slack, "締め日は？", thread_ts=said.reply_to["thread_ts"])
    accept(store, later)
    with serving(desk, said.conversation_id):
        until(lambda: slack.visible("C1") == [GROWING])
        act("d 1", Deletion("slack", said.conversation_id, said.user_id, said.id, said.sent_at + 1), clerk)
    with at_work(desk, said.conversation_id):
        until(lambda: slack.visible("C1") == [GROWING])
        act("stop 1", pressed(later), clerk)

    tidy(clerk)
    (answer,) = slack.visible("C1")
    assert answer.startswith(f"{FIRST}\n{phrase('stopped', 'ja')}")


def test_of_an_answer_that_ends_as_a_dead_letter_nothing_half_is_left(
    slack: FakeSlack, desk: Desk, clerk: Clerk, said: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_way_out, "LEFT_AFTER_S", 0.0)
    slack.fail("chat.postMessage", Fault(error="x"), Fault(error="restricted_action"))
    slack.fail("chat.update", Fault(error="restricted_action"))
    with serving(desk, said.conversation_id):
        until(lambda: slack.visible("C1") == [GROWING])
        act("stop 1", pressed(said), clerk)
    assert clerk.store.hlen("dead") == 1

    tidy(clerk)

    assert slack.visible("C1") == []


def test_a_worker_that_dies_while_it_grows_leaves_its_successor_one_message(
    slack: FakeSlack, store: redis.Redis, retriever: Retriever, said: Message
) -> None:
    batch = Batches(store, turns_life_s=60).take(said.conversation_id)
    assert batch is not None
    slack_sender(slack, store).open(batch.target, batch.journal).update("途中")
    store.delete(f"lock:{said.conversation_id}")
    with saying(Script(FIRST)) as generator:
        desk = replace(make_desk(store, retriever, generator), senders={"slack": slack_sender(slack, store)})
        answer_next(said.conversation_id, desk)

    (answer,) = slack.visible("C1")
    assert answer.startswith(FIRST)
