"""The stream shows each thing once, forgets what was erased, and holds no more than it must."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis
import redis.asyncio

from bot.console.events import from_post
from bot.console.stream import ChatStream, Entry, follow, follow_blocking
from bot.errors import StoreUnavailable
from bot.messages import Citation, Message, Reply
from bot.store import connect

CONVERSATION = "console:s1"


@pytest.fixture
def stream(store: redis.Redis) -> ChatStream:
    return ChatStream(store)


def question(number: int) -> Message:
    message = from_post({"id": f"question-{number}", "text": f"質問 {number}"}, "s1", 100.0 + number)
    assert isinstance(message, Message)
    return message


Q1, Q2 = question(1), question(2)


def shown(store: redis.Redis, after_id: str = "0") -> list[Entry]:
    entries: list[Entry] = []
    for entry in follow_blocking(store, CONVERSATION, after_id):
        if entry is None:
            return entries
        entries.append(entry)
    return entries


def types(store: redis.Redis) -> list[str]:
    return [entry.event["type"] for entry in shown(store)]


def test_a_question_is_shown_once(stream: ChatStream, store: redis.Redis) -> None:
    stream.question(Q1)
    stream.question(Q1)

    assert [entry.event for entry in shown(store)] == [{"type": "question", "id": Q1.id, "text": "質問 1", "at": 101.0}]


def test_a_sign_of_life_stands_beside_a_preview_and_the_answer_in_its_place(
    stream: ChatStream, store: redis.Redis
) -> None:
    stream.preview(CONVERSATION, Q1.id, Reply("抜粋1"))
    stream.preview(CONVERSATION, Q1.id, Reply("抜粋2"))
    stream.waiting(CONVERSATION, Q1.id, "お待ちください")
    assert [entry.event.get("text") for entry in shown(store)] == ["抜粋2", "お待ちください"]

    stream.text(CONVERSATION, Q1.id, "25日です。")

    assert types(store) == ["text"]


def test_what_is_withdrawn_goes_and_what_is_not_there_is_not_mentioned(stream: ChatStream, store: redis.Redis) -> None:
    stream.preview(CONVERSATION, Q1.id, Reply("抜粋"))
    stream.done(CONVERSATION, Q2.id, Reply("25日です。"))

    for message_id in (Q1.id, Q2.id, "console:s1:unknown"):
        stream.withdrawn(CONVERSATION, message_id)

    assert [(e.event["type"], e.event["id"]) for e in shown(store)] == [("done", Q2.id), ("restarted", Q1.id)]


def test_an_answer_carries_its_citations(stream: ChatStream, store: redis.Redis) -> None:
    cited = Citation(1, "経費規程", "https://docs.example/keihi", "精算 > 締め日", "毎月25日。")

    stream.done(CONVERSATION, Q1.id, Reply("25日です。", (cited,)))

    (entry,) = shown(store)
    assert entry.event["text"] == "25日です。"
    assert entry.event["citations"] == [
        {
            "number": 1,
            "title": "経費規程",
            "uri": "https://docs.example/keihi",
            "heading": "精算 > 締め日",
            "text": "毎月25日。",
            "page": "",
        }
    ]


def test_a_message_is_settled_once_and_the_first_answer_stands(stream: ChatStream, store: redis.Redis) -> None:
    assert stream.done(CONVERSATION, Q1.id, Reply("一")) == "一"
    assert stream.done(CONVERSATION, Q1.id, Reply("二")) == "一"
    assert stream.failed(CONVERSATION, Q1.id, "三") == "一"
    stream.text(CONVERSATION, Q1.id, "四")

    assert types(store) == ["done"]


def test_a_question_that_comes_after_its_answer_is_shown_all_the_same(stream: ChatStream, store: redis.Redis) -> None:
    stream.done(CONVERSATION, Q1.id, Reply("一"))
    stream.question(Q1)

    assert types(store) == ["done", "question"]


def test_only_the_newest_text_of_an_answer_is_kept_and_none_beside_the_whole(
    stream: ChatStream, store: redis.Redis
) -> None:
    stream.question(Q1)
    stream.waiting(CONVERSATION, Q1.id, "お待ちください")
    stream.text(CONVERSATION, Q1.id, "一。")
    stream.text(CONVERSATION, Q1.id, "一。二。")
    while_written = types(store)
    stream.done(CONVERSATION, Q1.id, Reply("一。二。三。"))

    assert while_written == ["question", "text"]
    assert types(store) == ["question", "done"]


def test_two_answers_do_not_touch_each_other(stream: ChatStream, store: redis.Redis) -> None:
    stream.text(CONVERSATION, Q1.id, "一")
    stream.text(CONVERSATION, Q2.id, "二")
    stream.done(CONVERSATION, Q2.id, Reply("二"))

    assert [(entry.event["type"], entry.event["id"]) for entry in shown(store)] == [("text", Q1.id), ("done", Q2.id)]


def test_a_notice_is_shown_once_for_each_order(stream: ChatStream, store: redis.Redis) -> None:
    for order in ("order-1", "order-1", "order-2"):
        stream.notice(CONVERSATION, order, "消しました。")

    assert types(store) == ["notice", "notice"]


def test_what_is_erased_is_gone_from_the_store(stream: ChatStream, store: redis.Redis) -> None:
    stream.question(Q1)
    stream.done(CONVERSATION, Q1.id, Reply("秘密です。"))

    stream.clear(CONVERSATION)

    assert types(store) == ["cleared"]
    assert "秘密" not in str(store.xrange(f"stream:{CONVERSATION}"))


def test_an_answer_to_an_erased_question_comes_too_late(stream: ChatStream, store: redis.Redis) -> None:
    stream.question(Q1)
    stream.question(Q2)
    stream.done(CONVERSATION, Q1.id, Reply("一"))

    stream.clear(CONVERSATION)
    stream.clear(CONVERSATION)
    stream.text(CONVERSATION, Q2.id, "二")

    assert stream.done(CONVERSATION, Q2.id, Reply("二")) == ""
    assert types(store) == ["cleared"]


def test_a_question_after_the_erasure_is_answered(stream: ChatStream, store: redis.Redis) -> None:
    stream.question(Q1)
    stream.clear(CONVERSATION)
    stream.question(Q2)
    stream.done(CONVERSATION, Q2.id, Reply("二"))

    assert types(store) == ["cleared", "question", "done"]


def test_a_reader_that_saw_everything_cannot_miss_the_erasure(stream: ChatStream, store: redis.Redis) -> None:
    ahead = "9999999999999-0"  # the clock was set back since
    fields: dict[Any, Any] = {"type": "question", "id": Q1.id, "event": "{}"}
    store.xadd(f"stream:{CONVERSATION}", fields, id=ahead)

    stream.clear(CONVERSATION)

    assert [entry.event["type"] for entry in shown(store, ahead)] == ["cleared"]


def test_a_reader_goes_on_after_what_it_saw_last(stream: ChatStream, store: redis.Redis) -> None:
    stream.question(Q1)
    (first,) = shown(store)
    stream.question(Q2)

    assert [entry.event["id"] for entry in shown(store, first.id)] == [Q2.id]


def test_the_stream_is_bounded_and_expires(
    stream: ChatStream, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.console.stream.MAX_ENTRIES", 100)
    for number in range(400):
        stream.question(question(number))

    assert store.xlen(f"stream:{CONVERSATION}") < 300
    assert 0 < store.ttl(f"stream:{CONVERSATION}") <= 7 * 24 * 3600


def test_a_reader_waits_for_what_is_yet_to_come(stream: ChatStream, store_url: str) -> None:
    async def read_two() -> list[str]:
        async with redis.asyncio.Redis.from_url(store_url, decode_responses=True) as client:
            seen: list[str] = []
            async for entry in follow(client, CONVERSATION, "0"):
                if entry is None and not seen:
                    continue
                if entry is None:
                    stream.question(Q2)
                    continue
                seen.append(entry.event["id"])
                if len(seen) == 2:
                    return seen
        raise AssertionError

    stream.question(Q1)

    assert asyncio.run(read_two()) == [Q1.id, Q2.id]


def test_a_store_that_is_down_is_said_so() -> None:
    nowhere = connect("unix:///nowhere/store.sock")

    with pytest.raises(StoreUnavailable):
        ChatStream(nowhere).question(Q1)
    with pytest.raises(StoreUnavailable):
        next(follow_blocking(nowhere, CONVERSATION, "0"))
