"""The knowledge process: indexing, so that it never blocks a reply."""

from __future__ import annotations

import threading
import time
from typing import Any

from celery import Celery
from celery.signals import worker_shutting_down

from bot.queue import KNOWLEDGE, REINDEX, celery_app
from bot.settings import BotSettings
from bot.store import connect
from knowledge import generations
from knowledge.embedders import load_embedder
from knowledge.overview import overview
from knowledge.settings import KnowledgeSettings
from workers.app import work
from workers.gaps.answers import Publishing
from workers.gaps.gaps import Gaps
from workers.gaps.keeping import Keeping
from workers.gaps.topics import Sorting
from workers.indexing import Indexing
from workers.settings import STORE_TIMEOUT_S, WorkerSettings

REMOVE_OLD_EVERY_S = 60.0
MOST_SOURCES = 50
"""Sources that the heartbeat names."""


def register(app: Celery, indexing: Indexing) -> None:
    """Give the Celery app the task for schedulers; people's wishes are in the store."""

    @app.task(name=REINDEX)  # type: ignore[untyped-decorator]
    def reindex_now(run_id: str, allow_empty: bool = False) -> None:
        indexing.run(run_id, allow_empty=allow_empty)


def main() -> None:
    """Run the knowledge process until it is told to end; when there is no index it makes one first."""
    bot, own, settings = BotSettings(), WorkerSettings(), KnowledgeSettings()
    app = celery_app(bot.store_url)
    store = connect(bot.store_url, timeout_s=STORE_TIMEOUT_S)
    indexing = Indexing(store, settings)
    register(app, indexing)
    keeping = Keeping(Sorting(Gaps(store), lambda: load_embedder(settings)), Publishing(store, settings))
    for part in (indexing, keeping):
        worker_shutting_down.connect(part.end, weak=False)
    threading.Thread(target=remove_old_generations, args=(settings,), daemon=True).start()
    if not is_indexed(settings):  # no daemon: the process waits for its end, it must not be cut off in a library's code
        threading.Thread(target=indexing.run_at_last).start()
    threading.Thread(target=indexing.fulfil, name="wishes").start()
    threading.Thread(target=keeping.run, name="gaps").start()
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
        keeping.end()


def remove_old_generations(settings: KnowledgeSettings) -> None:
    """Delete the generations whose time is over, for ever: with them goes what was deleted from the documents."""
    while True:
        generations.remove_old(settings.index_path)
        time.sleep(REMOVE_OLD_EVERY_S)


def is_indexed(settings: KnowledgeSettings) -> bool:
    """Whether there is an index, made by the embedder of now."""
    answering = generations.answering(settings.index_path)
    return answering is not None and answering.manifest.fingerprint == generations.fingerprint(load_embedder(settings))


def status(settings: KnowledgeSettings) -> dict[str, Any]:
    """What the heartbeat says of the index, for who has none: the clerk answers administrators from it."""
    index = overview(settings)
    if not index.generation:
        return {"ready": False}
    return {
        "ready": True,
        "documents": index.documents,
        "chunks": index.chunks,
        "generation": index.generation,
        "made_at": index.made_at,
        "before": index.before,
        "sources": [
            {
                "where": source.where,
                "title": source.title,
                "audience": list(source.audience),
                "documents": source.documents,
                "chunks": source.chunks,
                "skipped": len(source.skipped),
            }
            for source in index.sources[:MOST_SOURCES]
        ],
    }
