"""With the token gone an answer is kept, and comes once with the conversation's next token."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from bot.errors import DeliveryDeferred
from bot.line.api import MAX_MESSAGES
from bot.line.kept import KEPT_S, ROOM, KeptAnswer, KeptAnswers
from bot.line.sender import LineSender
from bot.messages import Reply
from bot.platform import Delivered
from tests.bot.line.sending import (
    ANSWER,
    CONVERSATION,
    LATE,
    SHOWN,
    DiesAt,
    Killed,
    MemoryJournal,
    kept,
    long_answer,
)
from tests.fakes import line_events
from tests.fakes.line import REPLY, FakeLine, Fault
from tests.fakes.line_events import GROUP, USER


@pytest.mark.parametrize("how", ["by our clock", "by LINE's"])
def test_with_the_token_gone_an_answer_is_kept_and_comes_with_the_next_one(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any, how: str
) -> None:
    target = asked(age_s=60 if how == "by our clock" else 0)
    if how == "by LINE's":
        line.token_life_s = -1

    assert sender.open(target, MemoryJournal()).finish(ANSWER) == Delivered("締め日は毎月20日です。", kept=True)
    assert line.visible(USER) == []
    assert 0 < store.ttl(f"kept:{CONVERSATION}") <= KEPT_S

    line.token_life_s = 60
    sender.open(asked(), MemoryJournal()).finish(Reply("次の答え"))
    assert line.visible(USER) == [f"{LATE}\n\n{SHOWN}", "次の答え"]
    assert kept(store) == []
    assert line.pushes == 0


def test_what_was_kept_stays_kept_when_the_reply_is_refused(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    sender.open(asked(age_s=60), MemoryJournal()).finish(ANSWER)
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    stream = sender.open(asked(), MemoryJournal())

    with pytest.raises(DeliveryDeferred):
        stream.finish(Reply("次の答え"))
    assert len(kept(store)) == 1

    stream.finish(Reply("次の答え"))
    assert line.visible(USER) == [f"{LATE}\n\n{SHOWN}", "次の答え"]


def test_more_than_one_call_holds_is_shown_in_order_over_the_next_calls(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    for number in range(6):
        sender.open(asked(age_s=60), MemoryJournal()).finish(Reply(f"{number}番"))

    assert sender.open(asked(), MemoryJournal()).finish(Reply("新しい答え")).kept
    assert [text[-2:] for text in line.visible(USER)] == ["0番", "1番", "2番", "3番", "4番"]

    sender.open(asked(), MemoryJournal()).finish(Reply("最後の答え"))
    assert line.visible(USER)[5:] == [f"{LATE}\n\n5番", f"{LATE}\n\n新しい答え", "最後の答え"]
    assert kept(store) == []


@pytest.mark.parametrize("died_before", [("reply", "sent"), ("outcome", "kept")])
def test_what_was_kept_is_shown_once_though_the_worker_dies(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any, died_before: tuple[str, str]
) -> None:
    sender.open(asked(age_s=60), MemoryJournal()).finish(long_answer(6))
    target, journal = asked(), DiesAt(*died_before)
    with pytest.raises(Killed):
        sender.open(target, journal).finish(Reply("新しい答え"))

    sender.open(target, journal).finish(Reply("新しい答え"))

    assert len(line.visible(USER)) == MAX_MESSAGES
    assert [len(answer.parts) for answer in kept(store)] == [1, 1], "the sixth part and the new answer"


def test_an_answer_kept_by_a_worker_that_died_is_kept_once(sender: LineSender, store: redis.Redis, asked: Any) -> None:
    target, journal = asked(age_s=60), DiesAt("outcome", "kept")
    with pytest.raises(Killed):
        sender.open(target, journal).finish(ANSWER)

    sender.open(target, journal).finish(ANSWER)

    assert len(kept(store)) == 1


def test_a_conversation_keeps_so_many_answers_and_the_newest_stay(
    sender: LineSender, store: redis.Redis, asked: Any
) -> None:
    for number in range(ROOM + 3):
        sender.open(asked(age_s=60), MemoryJournal()).finish(Reply(f"{number}番"))

    assert [answer.parts[0] for answer in kept(store)] == [f"{number}番" for number in range(3, ROOM + 3)]


def test_a_kept_answer_names_its_question_and_its_asker_so_that_it_can_be_erased(
    sender: LineSender, store: redis.Redis, asked: Any
) -> None:
    target = asked(line_events.group(), age_s=60)
    sender.open(target, MemoryJournal()).finish(ANSWER)

    (answer,) = kept(store, f"line:{GROUP}")
    assert (answer.message_id, answer.user_id) == (target.message_id, f"line:{USER}")


def test_an_unreadable_kept_answer_holds_nothing_up(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    store.rpush(f"kept:{CONVERSATION}", '{"v": 99, "kind": "KeptAnswer"}')

    sender.open(asked(), MemoryJournal()).finish(ANSWER)

    assert line.visible(USER) == [SHOWN]


def test_what_one_token_carries_no_other_token_carries_meanwhile(store: redis.Redis) -> None:
    answers = KeptAnswers(store)
    answers.keep(CONVERSATION, KeptAnswer("m", "u", "ja", ["答え"], "late"), "m")

    assert len(answers.claim(CONVERSATION, "first")) == 1
    assert answers.claim(CONVERSATION, "second") == []
    answers.release(CONVERSATION, "second")
    assert len(answers.claim(CONVERSATION, "first")) == 1
    answers.release(CONVERSATION, "first")
    assert len(answers.claim(CONVERSATION, "second")) == 1
