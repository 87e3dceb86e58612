"""Hints are Celery tasks by name. They are only hints: one that cannot be published is no error, and takes no time."""

from __future__ import annotations

import base64
import json
import logging
import queue
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from bot.app import PUBLISH_TIMEOUT_S
from bot.queue import (
    ACT,
    ANSWER,
    CONTROL,
    KNOWLEDGE,
    MOST_UNPUBLISHED,
    REINDEX,
    REPLIES,
    BackgroundHints,
    CeleryHints,
    broker_url,
    celery_app,
)

AT_ONCE_S = 1.0


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A store that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def published(store: redis.Redis, queue: str) -> list[tuple[str, list[Any]]]:
    """The tasks that wait in a queue, by name and arguments."""
    tasks = [json.loads(task) for task in store.lrange(queue, 0, -1)]
    return [(task["headers"]["task"], json.loads(base64.b64decode(task["body"]))[0]) for task in tasks]


def hints(url: str) -> CeleryHints:
    """Hints as the web process gives them."""
    return CeleryHints(celery_app(url, publish_timeout_s=PUBLISH_TIMEOUT_S))


def test_an_answer_is_hinted_at_in_the_queue_of_the_replies(store: redis.Redis, store_url: str) -> None:
    hints(store_url).answer("slack:C1")

    assert published(store, REPLIES) == [(ANSWER, ["slack:C1"])]


def test_a_control_is_hinted_at_in_the_queue_of_the_clerk(store: redis.Redis, store_url: str) -> None:
    hints(store_url).act("slack:Ev1")

    assert published(store, CONTROL) == [(ACT, ["slack:Ev1"])]


def test_a_reindex_waits_in_the_queue_of_the_documents(store: redis.Redis, store_url: str) -> None:
    celery_app(store_url).send_task(REINDEX, args=["run", False])

    assert published(store, KNOWLEDGE) == [(REINDEX, ["run", False])]


def test_a_hint_holds_ids_only(store: redis.Redis, store_url: str) -> None:
    hints(store_url).answer("slack:C1")

    body = json.loads(base64.b64decode(json.loads(store.lrange(REPLIES, 0, -1)[0])["body"]))
    assert body[:2] == [["slack:C1"], {}]


@pytest.mark.parametrize("url", ["unix:///nowhere/store.sock", "redis://127.0.0.1:1/0"], ids=["no socket", "refused"])
def test_a_hint_without_a_store_is_logged_and_no_error(url: str, caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()

    with caplog.at_level(logging.WARNING):
        hints(url).answer("slack:C1")

    assert time.monotonic() - began < AT_ONCE_S
    assert [record.message for record in caplog.records] == ["hint not published"]


def test_a_hint_to_a_store_that_does_not_answer_is_given_up_soon(
    silent_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.monotonic()

    with caplog.at_level(logging.WARNING):
        hints(silent_url).answer("slack:C1")

    assert time.monotonic() - began < AT_ONCE_S
    assert [record.message for record in caplog.records] == ["hint not published"]


def test_a_hint_to_a_store_that_is_full_is_no_error(
    store: redis.Redis, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store.config_set("maxmemory", "1")
    try:
        with caplog.at_level(logging.WARNING):
            hints(store_url).answer("slack:C1")
    finally:
        store.config_set("maxmemory", "0")

    assert [record.message for record in caplog.records] == ["hint not published"]


def test_hints_go_on_when_the_store_comes_back(store: redis.Redis, store_url: str) -> None:
    giving = hints(store_url)
    giving.answer("slack:C1")
    store.client_kill_filter(_type="normal", skipme=True)

    for _ in range(2):  # the first may find the broken connection
        giving.answer("slack:C2")

    assert ("answer", ["slack:C2"]) in published(store, REPLIES)


class NotedHints:
    """Hints that can be held up, or fail as nobody foresaw; what was given stays in `given`."""

    def __init__(self) -> None:
        self.given: queue.Queue[str] = queue.Queue()
        self.open = threading.Event()
        self.open.set()

    def answer(self, conversation_id: str) -> None:
        self.open.wait()
        self.given.put(conversation_id)
        if conversation_id == "odd":
            raise KeyError(conversation_id)

    def act(self, control_id: str) -> None:
        self.answer(f"control {control_id}")

    def next_given(self) -> str:
        return self.given.get(timeout=10)


def test_hints_in_the_background_are_all_given_in_their_order() -> None:
    noted = NotedHints()
    background = BackgroundHints(noted)

    background.answer("slack:C1")
    background.act("slack:Ev1")
    background.answer("slack:C2")

    assert [noted.next_given() for _ in range(3)] == ["slack:C1", "control slack:Ev1", "slack:C2"]


def test_nobody_waits_for_a_hint_in_the_background_and_too_many_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    noted = NotedHints()
    noted.open.clear()
    background = BackgroundHints(noted)

    for number in range(MOST_UNPUBLISHED + 2):  # one more than the queue and the thread hold
        background.answer(f"slack:C{number}")
    noted.open.set()

    kept = [noted.next_given() for _ in range(MOST_UNPUBLISHED)]
    assert kept == [f"slack:C{number}" for number in range(MOST_UNPUBLISHED)]
    assert "hint dropped" in [record.message for record in caplog.records]


def test_hints_in_the_background_go_on_after_an_error_that_nobody_foresaw(caplog: pytest.LogCaptureFixture) -> None:
    noted = NotedHints()
    background = BackgroundHints(noted)

    background.answer("odd")
    background.answer("slack:C1")

    assert [noted.next_given(), noted.next_given()] == ["odd", "slack:C1"]
    assert [record.message for record in caplog.records] == ["hint not published"]


@pytest.mark.parametrize(
    ("store_at", "broker"),
    [
        ("redis://host:6379/1", "redis://host:6379/1"),
        ("rediss://:secret@host/0", "rediss://:secret@host/0"),
        ("unix:///data/store.sock", "redis+socket:///data/store.sock"),
    ],
)
def test_the_broker_is_the_store(store_at: str, broker: str) -> None:
    assert broker_url(store_at) == broker
