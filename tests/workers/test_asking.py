"""The terminal asks like every platform: through the inbox, and reads the answer from the stream."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis

from bot.console.stream import ChatStream
from bot.inbox import ROOM, Inbox
from tests.workers.desk import ANSWER, HeardHints, until
from tests.workers.making import NoHints
from workers.asking import SESSION, NoAnswer, ask, show
from workers.phrases import phrase
from workers.services import Desk
from workers.serving import answer_next

QUESTION = "経費の締め日はいつですか？"
CITED = {"number": 1, "title": "経費精算", "uri": "expenses.md", "heading": "締め日", "text": "…"}


class Workers(HeardHints):
    """A worker for every hint, as Celery would begin one."""

    def __init__(self) -> None:
        super().__init__()
        self._at_work: list[threading.Thread] = []
        self.desk: Desk

    def answer(self, conversation_id: str) -> None:
        super().answer(conversation_id)
        self._at_work.append(threading.Thread(target=answer_next, args=(conversation_id, self.desk)))
        self._at_work[-1].start()

    def wait(self) -> None:
        for worker in self._at_work:
            worker.join(10)


@pytest.fixture
def workers(desk: Desk) -> Iterator[Workers]:
    """Workers that hear of every question, and of what waits behind one."""
    hints = Workers()
    hints.desk = replace(desk, hints=hints)
    yield hints
    hints.wait()


def shown(*events: dict[str, Any]) -> tuple[str, bool]:
    written: list[str] = []
    answered = show(iter(events), written.append)
    return "".join(written), answered


def test_a_question_is_answered(store: redis.Redis, workers: Workers) -> None:
    events = list(ask(QUESTION, store, Inbox(store, workers), timeout_s=20))

    assert (events[-1]["type"], events[-1]["text"]) == ("done", ANSWER)
    assert events[-1]["citations"][0]["title"] == "経費精算"


def test_a_second_question_may_follow_up_on_the_first(store: redis.Redis, workers: Workers) -> None:
    inbox = Inbox(store, workers)
    for question in (QUESTION, "領収書はどこに出しますか？"):
        list(ask(question, store, inbox, timeout_s=20))

    workers.wait()
    assert workers.desk.conversations.load(SESSION).questions() == (QUESTION, "領収書はどこに出しますか？")


def test_only_the_events_of_its_own_question_are_followed(store: redis.Redis, workers: Workers) -> None:
    ChatStream(store).failed(SESSION, "another question", "さっきの答え")

    events = list(ask(QUESTION, store, Inbox(store, workers), timeout_s=20))

    assert "さっきの答え" not in [event.get("text") for event in events]


def test_two_that_one_answer_covers_are_both_told(store: redis.Redis, workers: Workers) -> None:
    told: list[str] = []

    def ask_one(question: str) -> None:
        told.append([*ask(question, store, Inbox(store, NoHints()), timeout_s=20)][-1]["text"])

    people = [threading.Thread(target=ask_one, args=(question,)) for question in (QUESTION, "領収書は？")]
    for person in people:
        person.start()
    until(lambda: store.zcard(f"inbox:{SESSION}") == len(people))
    workers.answer(SESSION)
    for person in people:
        person.join(20)

    assert len(told) == 2
    assert told[0] == told[1]


def test_without_an_answer_in_time_there_is_an_end(store: redis.Redis) -> None:
    with pytest.raises(NoAnswer, match="may still come"):
        list(ask(QUESTION, store, Inbox(store, NoHints()), timeout_s=0))


def test_a_full_inbox_is_said(store: redis.Redis) -> None:
    store.zadd(f"inbox:{SESSION}", {f"m{number}": number for number in range(ROOM)})

    with pytest.raises(NoAnswer, match="too many"):
        list(ask(QUESTION, store, Inbox(store, NoHints())))


@pytest.mark.parametrize("nothing", ["", "   "])
def test_nothing_is_no_question(store: redis.Redis, nothing: str) -> None:
    with pytest.raises(NoAnswer, match="empty"):
        list(ask(nothing, store, Inbox(store, NoHints())))

    assert not store.keys()


def test_a_growing_answer_is_written_once_with_its_sources() -> None:
    assert shown(
        {"type": "text", "text": "締め日は"},
        {"type": "text", "text": "締め日は25日です。"},
        {"type": "done", "text": "締め日は25日です。", "citations": [CITED]},
    ) == ("締め日は25日です。\n[1] 経費精算 > 締め日 (expenses.md)\n", True)


def test_an_answer_that_begins_anew_begins_on_a_new_line() -> None:
    text, answered = shown(
        {"type": "text", "text": "古い"},
        {"type": "restarted"},
        {"type": "text", "text": "新しい"},
        {"type": "done", "text": "新しい答え", "citations": []},
    )

    assert text.splitlines() == ["古い", "新しい答え"]
    assert answered


def test_an_answer_that_does_not_go_on_from_what_is_shown_is_written_whole() -> None:
    text, _ = shown({"type": "text", "text": "途中"}, {"type": "done", "text": "別の答え", "citations": []})

    assert text == "途中\n別の答え\n"


def test_an_apology_is_no_answer() -> None:
    assert shown({"type": "failed", "text": phrase("apology", "ja")}) == (phrase("apology", "ja") + "\n", False)
