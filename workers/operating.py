"""The operator's other commands: reindex, list the models, say who may use the bot on LINE."""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from collections.abc import Mapping
from typing import Any

import redis
from tqdm import tqdm

from bot.access import Access
from bot.queue import REINDEX, celery_app
from bot.settings import BotSettings
from bot.store import connect, store_errors
from workers.models.memory import ModelRow, catalogue_table
from workers.service import is_running
from workers.settings import WorkerSettings

TAKEN_WITHIN_S = 30.0


def reindex(chosen: argparse.Namespace) -> int:
    """Reindex through the running service, or right here when none runs."""
    settings = BotSettings()
    if is_running(settings):
        run_id = uuid.uuid4().hex
        celery_app(settings.store_url).send_task(REINDEX, args=[run_id, chosen.allow_empty])
        return _follow(connect(settings.store_url), run_id)
    from workers.knowledge_worker import reindex_here  # noqa: PLC0415 - loads what a running service has loaded

    with tqdm(unit="chunk") as bar:
        told = reindex_here(lambda done, total: _show(bar, done, total), allow_empty=chosen.allow_empty)
    return _report(told)


def models(_: argparse.Namespace) -> int:
    """List the models with the memory each takes."""
    own = WorkerSettings()
    print(f"{'model':32} {'memory':>8} {'file':>8}  {'here':4} {'fits':4} {'licence':12} for")
    for row in catalogue_table(own.models_path, own.llm_context_tokens, own.llm_at_once):
        print(_line(row, chosen=row.name == own.llm_model))
    print(f"Memory for {own.llm_at_once} answers at once, each with a context of {own.llm_context_tokens} tokens.")
    print("* is LLM_MODEL; it may also be a path, or owner/repo/file.gguf of a model hub.")
    return 0


def invite(_: argparse.Namespace) -> int:
    """Print a code that lets one person or group use the bot on LINE."""
    print(_access().invite())
    return 0


def admitted(_: argparse.Namespace) -> int:
    """List the people and groups that codes have let in on LINE."""
    for who in _access().admitted():
        print(who)
    return 0


def revoke(chosen: argparse.Namespace) -> int:
    """Let somebody use the bot on LINE no longer."""
    if _access().revoke(chosen.id):
        print(f"{chosen.id} is let in no longer")
        return 0
    print(f"madoguchi: no code has let in {chosen.id}", file=sys.stderr)
    return 1


def _access() -> Access:
    settings = BotSettings()
    return Access(connect(settings.store_url), settings.line_access, settings.admins)


def _follow(store: redis.Redis, run_id: str) -> int:
    """Show how far a reindex of the running service is, until it ended."""
    taken_until = time.monotonic() + TAKEN_WITHIN_S
    with tqdm(unit="chunk") as bar:
        while True:
            with store_errors():
                told = store.get(f"reindex:{run_id}")
            facts: dict[str, Any] = json.loads(told) if told else {"state": "waiting"}
            if facts["state"] in {"done", "failed"}:
                break
            if facts["state"] == "running":
                _show(bar, facts["done"], facts["total"])
            elif time.monotonic() > taken_until:
                bar.write("waiting for the knowledge process; is another reindex under way?", file=sys.stderr)
                taken_until += TAKEN_WITHIN_S
            time.sleep(0.2)
    return _report(facts)


def _show(bar: tqdm[Any], done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)


def _report(facts: Mapping[str, Any]) -> int:
    if facts["state"] == "failed":
        print(f"madoguchi: {facts['reason']}", file=sys.stderr)
        return 1
    for skipped in facts["skipped"]:
        print(f"skipped {skipped['path']}: {skipped['reason']}")
    what = "new generation" if facts["changed"] else "nothing changed: generation"
    counts = f"{facts['documents']} documents, {facts['chunks']} chunks, {facts['embedded']} newly embedded"
    print(f"{what} {facts['generation']}: {counts}")
    return 0


def _line(row: ModelRow, *, chosen: bool) -> str:
    fits = {True: "yes", False: "no", None: "?"}[row.fits]
    there = "yes" if row.is_there else "no"
    mark = "*" if chosen else " "
    sizes = f"{row.memory.total / 1e6:>5.0f} MB {row.file_bytes / 1e6:>5.0f} MB"
    return f"{row.name:30} {mark} {sizes}  {there:4} {fits:4} {row.licence:12} {row.purpose}"
