"""A worker process: Celery on the store, with a heartbeat and metrics, until it is told to end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_shutting_down

from bot.heartbeat import Heartbeat
from bot.logs import log_to_stderr
from bot.store import connect
from workers.ending import end_in_time
from workers.metrics import serve_metrics
from workers.settings import STORE_TIMEOUT_S

log = logging.getLogger(__name__)


def work(
    app: Celery,
    *,
    part: str,
    queue: str,
    pool: str,
    at_once: int,
    store_url: str,
    status: Callable[[], Mapping[str, Any]],
    metrics_port: int,
) -> None:
    """Work off `queue` until SIGTERM; returns when the tasks under way have ended, or ends the process in time.

    Args:
        part: the name under which the heartbeat is written (`status:{part}`).
        status: what the heartbeat says; `ready` decides for `/readyz`.
    """
    # Who answers this signal keeps Celery from setting up logging itself: it would silence everything below a warning.
    setup_logging.connect(_log_our_way, weak=False)
    worker_shutting_down.connect(end_in_time, weak=False)
    log_to_stderr()
    serve_metrics(metrics_port)
    Heartbeat(connect(store_url, timeout_s=STORE_TIMEOUT_S), part, status).start()
    app.conf.update(
        worker_consumer="workers.consumer:PatientConsumer",
        broker_channel_error_retry=True,  # else a store that refuses (read-only, after a failover) ends the worker
    )
    options = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
    app.worker_main(["worker", "--queues", queue, "--pool", pool, "--concurrency", str(at_once), *options])


def _log_our_way(**_: object) -> None:
    log_to_stderr()
