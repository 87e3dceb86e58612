"""The producer's side of Celery: tasks are published by name, so that the web process imports no worker code."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from celery import Celery
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

ANSWER, ACT, REINDEX = "answer", "act", "reindex"
REPLIES, CONTROL, KNOWLEDGE = "replies", "control", "knowledge"
FIRST_RUN = "first"
"""The name of the reindexing that a service without an index begins with (`reindex:{run}` in the store)."""


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
