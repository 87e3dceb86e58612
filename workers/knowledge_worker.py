"""The knowledge process: indexing, so that it never blocks a reply."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
from celery import Celery
from celery.signals import worker_shutting_down

from bot.checkpoints import checkpoint
from bot.queue import FIRST_RUN, KNOWLEDGE, REINDEX, celery_app
from bot.settings import BotSettings
from bot.store import connect
from knowledge import generations
from knowledge.embedders import load_embedder
from knowledge.errors import KnowledgeError, NoIndex
from knowledge.reindexing import reindex
from knowledge.report import Step
from knowledge.settings import KnowledgeSettings
from workers.app import work
from workers.settings import STORE_TIMEOUT_S, WorkerSettings

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many chunks are done, of how many."""

PROGRESS_EVERY_S = 0.2
TRY_AGAIN_S = 60.0
REPORT_LIFE_S = 3600
REMOVE_OLD_EVERY_S = 60.0


class ServiceEnds(KnowledgeError):
    """A reindexing was broken off because its process is to end."""


class Indexing:
    """Reindexes, and tells in `reindex:{id}` how far it is and what came of it; `end` breaks it off."""

    def __init__(self, store: redis.Redis, settings: KnowledgeSettings) -> None:
        self._store = store
        self._settings = settings
        self._next_word = 0.0
        self._ending = threading.Event()

    def end(self, **_: object) -> None:
        """Break off after the batch of chunks under way, now and from now on."""
        self._ending.set()

    def run_at_last(self, again_after_s: float = TRY_AGAIN_S) -> None:
        """Make the first index; try again for as long as it fails (the folder is not mounted yet, the disk is full)."""
        while not self._ending.is_set() and not self.run(FIRST_RUN, allow_empty=False):
            self._ending.wait(again_after_s)

    def run(self, run_id: str, *, allow_empty: bool) -> bool:
        """Reindex once, and whether that worked; a failure is told, the old index stays."""
        self._tell(run_id, {"state": "running", "done": 0, "total": 0})
        facts = reindexed(
            self._settings, lambda done, total: self._progress(run_id, done, total), allow_empty=allow_empty
        )
        log.info("reindexed", extra={name: facts[name] for name in ("state", "generation", "reason") if name in facts})
        self._tell(run_id, facts)
        return bool(facts["state"] == "done")

    def _progress(self, run_id: str, done: int, total: int) -> None:
        if self._ending.is_set():
            raise ServiceEnds("the service ended before it was done; what was embedded is kept for the next time")
        now = time.monotonic()
        if now >= self._next_word or done == total:
            self._next_word = now + PROGRESS_EVERY_S
            self._tell(run_id, {"state": "running", "done": done, "total": total})

    def _tell(self, run_id: str, facts: dict[str, Any]) -> None:
        try:
            self._store.set(f"reindex:{run_id}", json.dumps(facts, ensure_ascii=False), ex=REPORT_LIFE_S)
        except redis.RedisError as error:
            log.warning("progress not told", extra={"error": type(error).__name__})


def reindexed(settings: KnowledgeSettings, progress: Progress, *, allow_empty: bool) -> dict[str, Any]:
    """Reindex, and what came of it as JSON values: `state` is `done` or `failed`."""

    def told(step: Step) -> None:
        progress(step.done, step.total)
        checkpoint(step.stage)

    try:
        report = reindex(settings, progress=told, allow_empty=allow_empty)
    except KnowledgeError as error:
        return {"state": "failed", "reason": str(error)}
    return {
        "state": "done",
        "changed": report.changed,
        "generation": report.generation,
        "documents": report.documents,
        "chunks": report.chunks,
        "embedded": report.embedded,
        "skipped": [{"path": str(one.path), "reason": one.reason} for one in report.skipped],
    }


def reindex_here(progress: Progress, *, allow_empty: bool) -> dict[str, Any]:
    """Reindex in this process, for who runs no service."""
    return reindexed(KnowledgeSettings(), progress, allow_empty=allow_empty)


def register(app: Celery, indexing: Indexing) -> None:
    """Give the Celery app the knowledge process's task."""

    @app.task(name=REINDEX)  # type: ignore[untyped-decorator]
    def reindex_now(run_id: str, allow_empty: bool = False) -> None:
        indexing.run(run_id, allow_empty=allow_empty)


def main() -> None:
    """Run the knowledge process until it is told to end; when there is no index it makes one first."""
    bot, own, settings = BotSettings(), WorkerSettings(), KnowledgeSettings()
    app = celery_app(bot.store_url)
    indexing = Indexing(connect(bot.store_url, timeout_s=STORE_TIMEOUT_S), settings)
    register(app, indexing)
    worker_shutting_down.connect(indexing.end, weak=False)
    threading.Thread(target=remove_old_generations, args=(settings,), daemon=True).start()
    if not is_indexed(settings):  # no daemon: the process waits for its end, it must not be cut off in a library's code
        threading.Thread(target=indexing.run_at_last).start()
    try:
        work(
            app,
            part="knowledge",
            queue=KNOWLEDGE,
            pool="solo",
            at_once=1,
            store_url=bot.store_url,
            status=lambda: status(settings),
            metrics_port=own.metrics_port and own.metrics_port + 2,
        )
    finally:
        indexing.end()


def remove_old_generations(settings: KnowledgeSettings) -> None:
    """Delete the generations whose time is over, for ever: with them goes what was deleted from the documents."""
    while True:
        generations.remove_old(settings.index_path)
        time.sleep(REMOVE_OLD_EVERY_S)


def is_indexed(settings: KnowledgeSettings) -> bool:
    """Whether there is an index, made by the embedder of now."""
    manifest = _manifest(settings)
    return manifest is not None and manifest.fingerprint == generations.fingerprint(load_embedder(settings))


def status(settings: KnowledgeSettings) -> dict[str, object]:
    """What the heartbeat says of the index."""
    manifest = _manifest(settings)
    if manifest is None:
        return {"ready": False}
    return {"ready": True, "documents": manifest.documents, "chunks": manifest.chunks}


def _manifest(settings: KnowledgeSettings) -> generations.Manifest | None:
    name = generations.current(settings.index_path)
    try:
        return generations.Manifest.read(settings.index_path / name) if name else None
    except (FileNotFoundError, NoIndex):
        return None
