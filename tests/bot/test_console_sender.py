"""The console's sender keeps the promises of `bot.platform.ReplyStream`."""

from __future__ import annotations

import logging
from itertools import takewhile

import pytest
import redis

from bot.console.events import from_post
from bot.console.sender import ConsoleReply, ConsoleSender
from bot.console.stream import follow_blocking
from bot.errors import DeliveryDeferred, LockLost
from bot.messages import Citation, Message, Reply
from bot.platform import Target
from bot.store import connect
from tests.console_desk import MemoryJournal

QUESTION = from_post({"id": "question-1", "text": "経費の締め日は？"}, "s1", 100.0)
assert isinstance(QUESTION, Message)
TARGET = Target(QUESTION.id, QUESTION.conversation_id, "ja", QUESTION.reply_to)


def opened(store: redis.Redis, journal: MemoryJournal) -> ConsoleReply:
    return ConsoleSender(store).open(TARGET, journal)


def types(store: redis.Redis) -> list[str]:
    seen = takewhile(lambda entry: entry is not None, follow_blocking(store, TARGET.conversation_id, "0"))
    return [entry.event["type"] for entry in seen if entry]


def test_opening_shows_nothing(store: redis.Redis) -> None:
    opened(store, MemoryJournal())

    assert types(store) == []


def test_finish_says_what_the_person_has(store: redis.Redis) -> None:
    reply = opened(store, MemoryJournal())
    reply.waiting("お待ちください")
    reply.update("25日")

    delivered = reply.finish(Reply("25日です。", (Citation(1, "規程", "", "", "25日"),)))

    assert (delivered.text, delivered.kept) == ("25日です。", False)
    assert types(store) == ["done"]


def test_an_apology_is_delivered_like_an_answer(store: redis.Redis) -> None:
    assert opened(store, MemoryJournal()).fail("申し訳ありません。").text == "申し訳ありません。"
    assert types(store) == ["failed"]


def test_finishing_twice_shows_one_answer_and_tells_which(store: redis.Redis) -> None:
    journal = MemoryJournal()
    opened(store, journal).finish(Reply("一"))

    again = opened(store, journal).finish(Reply("二"))

    assert again.text == "一"
    assert types(store) == ["done"]


def test_another_worker_first_takes_back_what_was_shown(store: redis.Redis) -> None:
    journal = MemoryJournal()
    opened(store, journal).update("途中まで")

    another = opened(store, journal)
    another.update("はじめ")
    another.update("はじめから")

    assert types(store) == ["restarted", "text"]


def test_a_first_worker_takes_nothing_back(store: redis.Redis) -> None:
    opened(store, MemoryJournal()).update("はじめ")

    assert types(store) == ["text"]


def test_a_worker_that_lost_the_conversation_shows_nothing_more(store: redis.Redis) -> None:
    journal = MemoryJournal()
    reply = opened(store, journal)
    reply.update("途中")
    journal.lost = True

    for step in (lambda: reply.waiting("x"), lambda: reply.update("x"), lambda: reply.finish(Reply("x"))):
        with pytest.raises(LockLost):
            step()
    assert types(store) == ["text"]


def test_a_store_that_is_down_defers_the_answer_and_only_logs_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    reply = opened(connect("unix:///nowhere/store.sock"), MemoryJournal())

    with caplog.at_level(logging.WARNING):
        reply.update("秘密の途中")
    with pytest.raises(DeliveryDeferred):
        reply.finish(Reply("答え"))

    assert [record.message for record in caplog.records] == ["not shown"]


def test_who_has_the_token_is_a_member(store: redis.Redis) -> None:
    assert ConsoleSender(store).audience({"session": "s1"}) == {"public", "members", "console"}
