"""A full store takes nothing new in, and everything that it has taken in is answered all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import redis
from kombu import Consumer, Exchange, Message, Queue

from bot.errors import StoreUnavailable
from bot.inbox import Accepted, Inbox
from bot.messages import Edit
from bot.messages import Message as Question
from bot.queue import ANSWER, REPLIES, CeleryHints, celery_app
from bot.store import script
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.fakes.slack import FakeSlack
from tests.stored import everything_in
from tests.workers.desk import ANSWER as WORDS
from tests.workers.desk import (
    C,
    a_worker_dies,
    answers,
    asked_times,
    command,
    dead_letters,
    from_line,
    from_slack,
    line_sender,
    make_clerk,
    order,
    pause_s,
    slack_sender,
)
from tests.workers.flooding import threads, write
from tests.workers.making import NoHints, accept, message
from workers.acting import act
from workers.controls import Controls
from workers.conversation import Conversations
from workers.phrases import phrase
from workers.services import Desk
from workers.serving import answer_next


@contextmanager
def full(store: redis.Redis) -> Iterator[None]:
    """Every write that needs memory is refused inside the block."""
    store.config_set("maxmemory", "1")
    try:
        yield
    finally:
        store.config_set("maxmemory", "0")


def test_nothing_of_a_message_is_taken_in(store: redis.Redis) -> None:
    accept(store, message())
    inbox = Inbox(store, NoHints(), person_messages_per_minute=1)
    before = everything_in(store)

    with full(store), pytest.raises(StoreUnavailable):
        inbox.accept(message(), "d1")

    assert everything_in(store) == before


def test_nothing_of_a_control_event_is_taken_in(store: redis.Redis) -> None:
    with full(store), pytest.raises(StoreUnavailable):
        command(store, order("reset"), "r1")

    assert not store.keys()


def test_what_was_taken_in_before_is_known(store: redis.Redis) -> None:
    said = message()
    accept(store, said)

    with full(store):
        again = Inbox(store, NoHints()).accept(said, "another delivery of it")

    assert again is Accepted.KNOWN


def test_a_question_is_answered_on_slack(store: redis.Redis, desk: Desk, slack: FakeSlack) -> None:
    said = from_slack(slack, "経費の締め日は？")
    accept(store, said)

    with full(store):
        answer_next(said.conversation_id, replace(desk, senders={"slack": slack_sender(slack, store)}))

    assert [WORDS in text for text in slack.visible("C1", said.reply_to["thread_ts"])] == [True]
    assert [turn.role for turn in desk.conversations.load(said.conversation_id).turns] == ["user", "assistant"]
    assert not store.exists("ready", f"inbox:{said.conversation_id}")


def test_a_question_in_a_direct_message_is_answered_whose_asker_cannot_be_noted_as_a_member(
    store: redis.Redis, desk: Desk, slack: FakeSlack
) -> None:
    said = from_slack(slack, "経費の締め日は？")
    accept(store, replace(said, reply_to={**said.reply_to, "channel_type": "im"}))

    with full(store):
        answer_next(said.conversation_id, replace(desk, senders={"slack": slack_sender(slack, store)}))

    assert [WORDS in text for text in slack.visible("C1", said.reply_to["thread_ts"])] == [True]


def test_an_answer_that_cannot_be_written_to_the_page_is_tried_again(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())
    with full(store):
        for _ in range(6):
            answer_next(C, desk)
        assert pause_s(store, C) > 0
        assert answers(store) == []

    answer_next(C, desk)

    assert answers(store) == [WORDS]
    assert asked_times(desk) == 1
    assert dead_letters(store) == []


def test_an_answer_that_cannot_be_kept_for_line_is_tried_again(store: redis.Redis, desk: Desk, line: FakeLine) -> None:
    said = from_line(line, "経費の締め日は？", age_s=3600)  # its token is gone
    accept(store, said)
    at_line = replace(desk, senders={"line": line_sender(line, store)})
    with full(store):
        for _ in range(6):
            answer_next(said.conversation_id, at_line)

    answer_next(said.conversation_id, at_line)

    assert len(store.lrange(f"kept:line:{USER}", 0, -1)) == 1
    assert asked_times(desk) == 1
    assert dead_letters(store) == []


def test_what_ended_three_workers_is_given_up(store: redis.Redis, desk: Desk, slack: FakeSlack) -> None:
    said = from_slack(slack, "困った質問")
    accept(store, said)
    a_worker_dies(store, 3, said.conversation_id)

    with full(store):
        answer_next(said.conversation_id, replace(desk, senders={"slack": slack_sender(slack, store)}))

    assert [phrase("apology", "ja") in text for text in slack.visible("C1", said.reply_to["thread_ts"])] == [True]
    assert len(dead_letters(store)) == 1


def test_a_lock_is_renewed_and_a_batch_handed_back(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())

    with full(store):
        batch = desk.batches.take(C)
        assert batch is not None
        batch.journal.check()
        desk.batches.hand_back(batch, after_s=0, forgive=True)

    assert not store.exists(f"lock:{C}", f"attempts:{C}")


def test_who_is_held_up_is_called_in(store: redis.Redis, desk: Desk) -> None:
    write(store, threads(3), limit=0)

    with full(store):
        for number in range(3):
            batch = desk.batches.take(f"console:t{number}")
        assert batch is None
        assert store.zrange("held_up:console:u1", 0, -1) == ["console:t2"]


def test_the_clerk_finds_what_is_due(store: redis.Redis) -> None:
    accept(store, message())

    with full(store):
        due = script(store, "workers", "due")(keys=["ready"], args=[2e9, 3e9, 10, 2e9])

    assert due == [C]


def test_a_worker_hears_the_hints_that_were_given_before(store: redis.Redis, store_url: str) -> None:
    app, heard = celery_app(store_url), list[str]()
    queue = Queue(REPLIES, Exchange(REPLIES), routing_key=REPLIES)

    def hear(hint: Message) -> None:
        heard.append(hint.headers["task"])
        hint.ack()

    with app.connection_for_read() as connection, Consumer(connection, queues=[queue], on_message=hear):
        CeleryHints(app).answer(C)
        with full(store):
            connection.drain_events(timeout=5)

    assert heard == [ANSWER]


def test_words_that_wait_are_edited(store: redis.Redis) -> None:
    said = message("締め日は？")
    accept(store, said)

    with full(store), pytest.raises(StoreUnavailable):  # the running answer cannot be told: it comes again
        act("e1", Edit("console", C, said.user_id, said.id, "領収書は？", said.sent_at), make_clerk(store))

    assert [Question.from_json(stored).text for stored in store.hvals(f"messages:{C}")] == ["領収書は？"]


def test_a_conversation_is_erased(store: redis.Redis) -> None:
    accept(store, message())

    with full(store):
        Conversations(store).erase(C, speaker="console:u1")

    assert not store.exists(f"messages:{C}", f"inbox:{C}", "ready")


@pytest.mark.parametrize("name", ["forget", "reset", "stop"])
def test_an_order_that_cannot_be_carried_out_is_carried_out_later(store: redis.Redis, name: str) -> None:
    accept(store, message())
    command(store, order(name), "o1")

    with full(store), pytest.raises(StoreUnavailable):
        carry_out(store, "o1")
    store.zadd("controls:due", {"o1": 0})  # its lease is over

    assert carry_out(store, "o1") == "done"
    assert dead_letters(store) == []


def carry_out(store: redis.Redis, control_id: str) -> str:
    clerk = make_clerk(store)
    return Controls(store).carry_out(control_id, lambda name, event: act(name, event, clerk))
