"""What a platform does not take is offered again with growing pauses, and put aside in the end."""

from __future__ import annotations

from dataclasses import replace

import redis

from bot.console.sender import ConsoleSender
from bot.store import connect
from tests.fakes.line import REPLY, FakeLine
from tests.fakes.line import Fault as LineFault
from tests.fakes.line_events import USER
from tests.fakes.slack import FakeSlack, Fault
from tests.workers.desk import (
    ANSWER,
    C,
    a_worker_dies,
    answers,
    asked_times,
    dead_letters,
    from_line,
    from_slack,
    hinted,
    line_sender,
    pause_s,
    slack_sender,
)
from tests.workers.making import accept, message
from workers.phrases import phrase
from workers.services import Desk
from workers.serving import LONGEST_PAUSE_S, MOST_DELIVERY_TRIES, answer_next

APOLOGY = phrase("apology", "ja")
POST, STREAM = "chat.postMessage", "chat.startStream"
NO_STREAMS = Fault(error="method_not_supported_for_channel_type")


def test_a_platform_that_asks_for_patience_gets_it(store: redis.Redis, desk: Desk, slack: FakeSlack) -> None:
    said = from_slack(slack, "経費の締め日は？")
    accept(store, said)
    at_slack = replace(desk, senders={"slack": slack_sender(slack, store)})
    slack.fail(STREAM, NO_STREAMS)
    slack.fail(POST, *[Fault(status=429, retry_after=30)] * 2)  # the preview and the answer

    answer_next(said.conversation_id, at_slack)
    assert 28 < pause_s(store, said.conversation_id) <= 30
    answer_next(said.conversation_id, at_slack)

    assert [ANSWER in shown for shown in slack.visible("C1", said.reply_to["thread_ts"])] == [True]
    assert asked_times(desk) == 1


def test_the_pauses_grow_while_a_platform_does_not_take_the_answer(
    store: redis.Redis, desk: Desk, line: FakeLine
) -> None:
    said = from_line(line, "経費の締め日は？")
    accept(store, said)
    at_line = replace(desk, senders={"line": line_sender(line, store)})
    line.go_wrong(REPLY, *[LineFault.RATE_LIMITED] * 9)

    pauses = []
    for _ in range(9):
        answer_next(said.conversation_id, at_line)
        pauses.append(round(pause_s(store, said.conversation_id)))

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert store.get(f"attempts:{said.conversation_id}") is None
    answer_next(said.conversation_id, at_line)
    assert len(line.visible(USER)) == 1
    assert asked_times(desk) == 1


def test_the_pauses_grow_while_a_platform_is_down_that_asks_for_little_patience(
    store: redis.Redis, desk: Desk, slack: FakeSlack
) -> None:
    said = from_slack(slack, "経費の締め日は？")
    accept(store, said)
    at_slack = replace(desk, senders={"slack": slack_sender(slack, store)})
    slack.fail(STREAM, NO_STREAMS)
    slack.fail(POST, *[Fault(status=429, retry_after=2)] * 7)  # the preview and six times the answer

    pauses = []
    for _ in range(6):
        answer_next(said.conversation_id, at_slack)
        pauses.append(round(pause_s(store, said.conversation_id)))

    assert pauses == [2, 2, 4, 8, 16, 32]


def test_what_is_never_taken_ends_among_the_dead_letters(store: redis.Redis, desk: Desk, line: FakeLine) -> None:
    said = from_line(line, "経費の締め日は？")
    accept(store, said, from_line(line, "後の質問"))
    batch = desk.batches.take(said.conversation_id)
    assert batch is not None
    batch.journal.write(tries=MOST_DELIVERY_TRIES)
    desk.batches.hand_back(batch, after_s=0, forgive=True)
    line.go_wrong(REPLY, LineFault.RATE_LIMITED)

    answer_next(said.conversation_id, replace(desk, senders={"line": line_sender(line, store)}))

    assert len(dead_letters(store)) == 1
    assert not store.exists("ready", f"inbox:{said.conversation_id}")


def test_what_a_platform_refuses_for_good_is_a_dead_letter_and_the_next_is_hinted_at(
    store: redis.Redis, desk: Desk, slack: FakeSlack
) -> None:
    said = from_slack(slack, "経費の締め日は？")
    after = from_slack(slack, "領収書は？", user="U2", thread_ts=said.reply_to["thread_ts"])
    accept(store, said, after)
    slack.fail(STREAM, Fault(error="is_archived"))
    slack.fail(POST, *[Fault(error="is_archived")] * 2)  # the preview and the answer

    answer_next(said.conversation_id, replace(desk, senders={"slack": slack_sender(slack, store)}))

    assert [letter["reason"] for letter in dead_letters(store)] == ["is_archived"]
    assert hinted(desk) == [said.conversation_id]


def test_an_apology_waits_for_the_platform_as_an_answer_does(store: redis.Redis, desk: Desk, slack: FakeSlack) -> None:
    said = from_slack(slack, "困った質問")
    accept(store, said)
    a_worker_dies(store, 3, said.conversation_id)
    at_slack = replace(desk, senders={"slack": slack_sender(slack, store)})
    slack.fail(POST, Fault(status=429, retry_after=5))

    answer_next(said.conversation_id, at_slack)
    assert dead_letters(store) == []
    answer_next(said.conversation_id, at_slack)

    assert [APOLOGY in shown for shown in slack.visible("C1", said.reply_to["thread_ts"])] == [True]
    assert len(dead_letters(store)) == 1


def test_what_cannot_even_be_apologised_for_does_not_block_its_conversation(store: redis.Redis, desk: Desk) -> None:
    broken = replace(message(), platform="slack", reply_to={})
    accept(store, broken)
    with FakeSlack() as slack:
        at_slack = replace(desk, senders={"slack": slack_sender(slack, store)})
        for _ in range(4):
            answer_next(C, at_slack)

    assert len(dead_letters(store)) == 1
    assert not store.exists("ready", f"inbox:{C}")


def test_a_platform_that_was_turned_off_keeps_its_questions(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())

    for _ in range(5):
        answer_next(C, replace(desk, senders={}))
    assert LONGEST_PAUSE_S - 5 < pause_s(store, C) <= LONGEST_PAUSE_S
    answer_next(C, desk)

    assert answers(store) == [ANSWER]


def test_a_page_that_cannot_be_written_to_gets_its_answer_later(store: redis.Redis, desk: Desk) -> None:
    accept(store, message())
    nowhere = ConsoleSender(connect("unix:///nowhere/store.sock"))

    answer_next(C, replace(desk, senders={"console": nowhere}))
    assert 0 < pause_s(store, C) <= 1
    answer_next(C, desk)

    assert answers(store) == [ANSWER]
    assert asked_times(desk) == 1
