"""The producer's side of Celery: tasks are published by name, so that the web process imports no worker code."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from celery import Celery
from kombu.exceptions import OperationalError

from bot.inbox import Hints

log = logging.getLogger(__name__)

ANSWER, ACT, REINDEX = "answer", "act", "reindex"
REPLIES, CONTROL, KNOWLEDGE = "replies", "control", "knowledge"
FIRST_RUN = "first"
"""The name of the reindexing that a service without an index begins with (`reindex:{run}` in the store)."""

MOST_UNPUBLISHED = 1_000
"""Hints that may wait for a slow store; the clerk's tick finds what the others would have told of."""


def celery_app(store_url: str, *, publish_timeout_s: float = 10.0) -> Celery:
    """Celery on the store: JSON only, early acknowledgement, no results; publishing never retries.

    Args:
        publish_timeout_s: how long one call to the store may take; a worker needs more than its polling second.
    """
    app = Celery("madoguchi", broker=broker_url(store_url))
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_routes={
            ANSWER: {"queue": REPLIES},
            ACT: {"queue": CONTROL},
            REINDEX: {"queue": KNOWLEDGE},
        },
        task_publish_retry=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a worker waits for its store for as long as it takes
        broker_transport_options={
            "socket_timeout": publish_timeout_s,
            "socket_connect_timeout": publish_timeout_s,
            # A hint may get lost, so what is unacknowledged is not written down: a full store would refuse that, which
            # ends the worker, and every hint would wait for the disk twice more.
            "ack_emulation": False,
            "max_retries": 0,  # else a publish to a store that is gone tries, and sleeps, for six seconds
        },
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        timezone="UTC",
    )
    return app


def broker_url(store_url: str) -> str:
    """The store's URL as kombu spells it (`unix://` is `redis+socket://` there)."""
    if urlsplit(store_url).scheme == "unix":
        return store_url.replace("unix://", "redis+socket://", 1)
    return store_url


class CeleryHints:
    """Hints as Celery tasks; a publish that fails is logged and left to the clerk's tick."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def answer(self, conversation_id: str) -> None:
        self._publish(ANSWER, conversation_id)

    def act(self, control_id: str) -> None:
        self._publish(ACT, control_id)

    def _publish(self, task: str, argument: str) -> None:
        try:
            self._app.send_task(task, args=[argument])
        except (OperationalError, OSError) as error:
            log.warning("hint not published", extra={"task": task, "error": type(error).__name__})


class BackgroundHints:
    """Hints that a thread passes on, so that a webhook waits for none: not for a slow store, nor a full or lost one."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._unpublished: queue.Queue[tuple[Callable[[str], None], str]] = queue.Queue(MOST_UNPUBLISHED)
        threading.Thread(target=self._pass_on, name="hints", daemon=True).start()

    def answer(self, conversation_id: str) -> None:
        self._later(self._hints.answer, conversation_id)

    def act(self, control_id: str) -> None:
        self._later(self._hints.act, control_id)

    def _later(self, hint: Callable[[str], None], argument: str) -> None:
        try:
            self._unpublished.put_nowait((hint, argument))
        except queue.Full:
            log.warning("hint dropped")

    def _pass_on(self) -> None:
        while True:
            hint, argument = self._unpublished.get()
            try:
                hint(argument)
            except Exception:  # the thread must outlive what nobody foresaw, or no hint is given ever after
                log.exception("hint not published")
