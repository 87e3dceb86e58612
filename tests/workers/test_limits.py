"""Beyond a number of messages a minute a person gets one polite notice in place of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import redis

from bot.inbox import Inbox
from bot.messages import Edit, Message
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.fakes.slack import FakeSlack
from tests.stored import everything_in
from tests.workers.desk import (
    ANSWER,
    C,
    a_worker_dies,
    answers,
    asked_times,
    dead_letters,
    from_line,
    from_slack,
    line_sender,
    make_clerk,
    order,
    slack_sender,
)
from tests.workers.flooding import A_MINUTE, threads, write
from tests.workers.making import NoHints, message
from workers.acting import act
from workers.batches import MOST_MESSAGES
from workers.controls import Controls
from workers.phrases import phrase
from workers.services import Desk
from workers.serving import answer_next

NOTICE = phrase("over_limit", "ja")


def test_what_is_beyond_the_limit_gets_one_notice_for_all_of_it_and_never_reaches_the_model(
    store: redis.Redis, desk: Desk
) -> None:
    write(store, [message() for _ in range(A_MINUTE + 2 * MOST_MESSAGES)])

    answer_next(C, desk)
    answer_next(C, desk)

    assert answers(store) == [ANSWER, NOTICE]
    assert asked_times(desk) == 1
    assert not store.exists("ready", f"inbox:{C}", f"messages:{C}", f"over:{C}", f"batch:{C}", f"lock:{C}")


def test_the_notice_says_it_in_the_askers_language(store: redis.Redis, desk: Desk) -> None:
    write(store, [message("When is the deadline for expenses?") for _ in range(A_MINUTE + 1)])

    answer_next(C, desk)
    answer_next(C, desk)

    assert answers(store)[-1] == phrase("over_limit", "en")


def test_who_was_over_the_limit_is_not_remembered_with_it(store: redis.Redis, desk: Desk) -> None:
    said = [message() for _ in range(A_MINUTE + 1)]
    write(store, said)

    answer_next(C, desk)
    answer_next(C, desk)

    remembered = [id_ for turn in desk.conversations.load(C).turns for id_ in turn.message_ids]
    assert said[-1].id not in remembered
    assert store.get(f"seen:{said[-1].id}") == "answered"


def test_the_limit_is_one_persons_over_all_conversations(store: redis.Redis, desk: Desk) -> None:
    write(store, [*threads(A_MINUTE), message()])

    answer_next(C, desk)

    assert answers(store) == [NOTICE]


def test_others_in_the_same_conversation_are_answered(store: redis.Redis, desk: Desk) -> None:
    flood = [message() for _ in range(A_MINUTE + 1)]
    write(store, [*flood, message("領収書は？", user="console:u2")])

    for _ in range(3):
        answer_next(C, desk)

    assert [text == NOTICE for text in answers(store)] == [False, True, False]


def test_a_message_that_is_delivered_again_counts_once(store: redis.Redis, desk: Desk) -> None:
    said = message()
    write(store, [said] * (A_MINUTE + 1))

    assert store.get(f"rate:{said.user_id}") == "1"
    assert 0 < store.ttl(f"rate:{said.user_id}") <= 60


def test_after_the_minute_one_may_ask_again(store: redis.Redis, desk: Desk) -> None:
    write(store, [message() for _ in range(A_MINUTE)])
    answer_next(C, desk)
    store.delete("rate:console:u1")  # its minute is over

    write(store, [message()])
    answer_next(C, desk)

    assert answers(store) == [ANSWER, ANSWER]


def test_without_a_limit_everything_is_answered(store: redis.Redis, desk: Desk) -> None:
    write(store, [message() for _ in range(MOST_MESSAGES)], limit=0)

    answer_next(C, desk)

    assert answers(store) == [ANSWER]
    assert not store.keys("rate:*")


def test_the_notice_waits_for_no_model_and_no_gate(store: redis.Redis, desk: Desk) -> None:
    write(store, [*threads(A_MINUTE), message()])

    with desk.gate.room(alone=True):
        answer_next(C, desk)

    assert answers(store) == [NOTICE]


def test_the_same_notice_is_taken_again_when_its_worker_dies(store: redis.Redis, desk: Desk) -> None:
    said = [message() for _ in range(2 * MOST_MESSAGES)]
    write(store, [*threads(A_MINUTE), *said])
    a_worker_dies(store)

    batch = desk.batches.take(C)

    assert batch is not None
    assert batch.over_limit
    assert batch.ids == [one.id for one in said]


def test_words_that_are_edited_stay_over_the_limit(store: redis.Redis, desk: Desk) -> None:
    said = message()
    write(store, [*threads(A_MINUTE), said])
    act("e1", Edit("console", C, said.user_id, said.id, "領収書は？", said.sent_at), make_clerk(store))

    answer_next(C, desk)

    assert answers(store) == [NOTICE]


def edited(store: redis.Redis, said: Message, text: str, *, limit: int, times: int = 1) -> None:
    """Its writer edits a message, and the clerk sees to it; delivered so many times."""
    edit = Edit("console", C, said.user_id, said.id, text, said.sent_at + 60, said.reply_to)
    inbox = Inbox(store, NoHints(), person_messages_per_minute=limit)
    for _ in range(times):
        inbox.control(edit, f"{text} of {said.id}")
    Controls(store).carry_out(f"{text} of {said.id}", lambda name, event: act(name, event, make_clerk(store)))


def test_an_edited_question_beyond_the_limit_gets_the_notice_and_never_reaches_the_model(
    store: redis.Redis, desk: Desk
) -> None:
    said = message()
    write(store, [said], limit=1)
    answer_next(C, desk)

    edited(store, said, "領収書は？", limit=1)
    answer_next(C, desk)

    assert answers(store)[-1] == NOTICE
    assert asked_times(desk) == 1
    assert not store.exists(f"over:{C}", f"inbox:{C}", f"batch:{C}")


def test_an_edit_within_the_limit_is_answered_however_often_it_is_delivered(store: redis.Redis, desk: Desk) -> None:
    said = message()
    write(store, [said], limit=2)
    answer_next(C, desk)

    edited(store, said, "領収書は？", limit=2, times=3)
    answer_next(C, desk)

    assert asked_times(desk) == 2


def test_after_the_minute_it_is_answered_again(store: redis.Redis, desk: Desk) -> None:
    said = message()
    write(store, [said], limit=1)
    answer_next(C, desk)
    store.delete(f"rate:{said.user_id}")

    edited(store, said, "領収書は？", limit=1)
    answer_next(C, desk)

    assert NOTICE not in answers(store)


@pytest.mark.parametrize("is_begun", [True, False])
def test_what_waits_and_is_edited_beyond_the_limit_gets_the_notice(
    store: redis.Redis, desk: Desk, is_begun: bool
) -> None:
    said = [message(), message("領収書は？")]
    write(store, said, limit=2)
    if is_begun:
        a_worker_dies(store)

    for one in said if not is_begun else said[1:]:
        edited(store, one, "有給は？", limit=2)
    answer_next(C, desk)

    assert answers(store) == [NOTICE]
    assert asked_times(desk) == 0


def test_messages_answered_together_are_beyond_the_limit_together(store: redis.Redis, desk: Desk) -> None:
    said = [message(), message("領収書は？")]
    write(store, said, limit=2)
    answer_next(C, desk)

    edited(store, said[1], "有給は？", limit=2)
    answer_next(C, desk)

    assert answers(store)[-1] == NOTICE


def test_an_older_message_that_is_edited_beyond_the_limit_is_remembered_and_leaves_no_mark(
    store: redis.Redis, desk: Desk
) -> None:
    said = [message(), message("領収書は？")]
    for one in said:
        write(store, [one], limit=2)
        answer_next(C, desk)

    edited(store, said[0], "有給は？", limit=2)

    assert desk.conversations.load(C).turns[0].text == "有給は？"
    assert not store.exists(f"over:{C}")


def test_what_is_erased_leaves_no_mark(store: redis.Redis) -> None:
    write(store, [message("この言葉は消えます") for _ in range(A_MINUTE + 1)])
    a_worker_dies(store)

    act("f1", order("forget"), make_clerk(store))

    assert "この言葉は消えます" not in everything_in(store)
    assert not store.exists(f"over:{C}", f"inbox:{C}", "answering:console:u1", "ready")


def test_two_hundred_messages_at_once_on_slack_are_each_covered_by_one_visible_answer(
    store: redis.Redis, desk: Desk, slack: FakeSlack
) -> None:
    first = from_slack(slack, "経費の締め日は？")
    flood = [replace(first, id=f"{first.id}.{number:03}") for number in range(200)]
    write(store, flood, limit=30)

    for _ in range(3):
        answer_next(first.conversation_id, replace(desk, senders={"slack": slack_sender(slack, store)}))

    seen = slack.visible("C1", first.reply_to["thread_ts"])
    assert [NOTICE in text for text in seen] == [False, False, True]
    assert_covered(store, flood)


def test_two_hundred_messages_at_once_on_line_are_each_covered_by_one_visible_answer(
    store: redis.Redis, desk: Desk, line: FakeLine
) -> None:
    flood = [from_line(line, "経費の締め日は？") for _ in range(200)]
    write(store, flood, limit=30)

    for _ in range(3):
        answer_next(flood[0].conversation_id, replace(desk, senders={"line": line_sender(line, store)}))

    assert [NOTICE in text for text in line.visible(USER)] == [False, False, True]
    assert_covered(store, flood)


def assert_covered(store: redis.Redis, messages: Sequence[Message]) -> None:
    assert {store.get(f"seen:{one.id}") for one in messages} == {"answered"}
    assert not store.exists("ready")
    assert dead_letters(store) == []
