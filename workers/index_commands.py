"""The operator's commands about the index: reindex, status, rollback, sources."""

from __future__ import annotations

import argparse
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import redis
from tqdm import tqdm

from bot.settings import BotSettings
from bot.store import connect
from knowledge.errors import KnowledgeError
from knowledge.overview import overview
from knowledge.report import Step
from knowledge.settings import KnowledgeSettings
from workers.run_texts import indexed, outcome_lines, progress, worse_lines
from workers.runs import ENDED, Runs, Wish
from workers.service import is_running, unknown_sources
from workers.settings import STORE_TIMEOUT_S

TAKEN_WITHIN_S = 30.0
LOOK_EVERY_S = 0.2


def reindex(chosen: argparse.Namespace) -> int:
    """Reindex through the running service, or right here when none runs."""
    settings = BotSettings()
    if chosen.cancel:
        return _cancel(connect(settings.store_url))
    wish = Wish(uuid.uuid4().hex, allow_empty=chosen.allow_empty, accept=chosen.accept, dry_run=chosen.dry_run)
    return _report(_through_the_service(wish, settings) if is_running(settings) else _here(wish))


def rollback(_: argparse.Namespace) -> int:
    """Have the generation before answer again."""
    settings, wish = BotSettings(), Wish(uuid.uuid4().hex, "rollback")
    return _report(_through_the_service(wish, settings) if is_running(settings) else _here(wish))


def status(_: argparse.Namespace) -> int:
    """Say which index answers, and how far a reindexing is; 1 when there is no index."""
    index = overview(KnowledgeSettings())
    print(indexed({"ready": bool(index.generation), **asdict(index)}, "en"))
    settings = BotSettings()
    if is_running(settings) and (last := Runs(connect(settings.store_url)).last()):
        print(progress(last, "en"))
    elif index.running:
        print("A reindexing is under way.")
    for title in unknown_sources():
        print(f"madoguchi.toml names a source that there is not: {title}")
    return 0 if index.generation else 1


def sources(_: argparse.Namespace) -> int:
    """List what each source has in the index, and what of it was skipped."""
    for source in overview(KnowledgeSettings()).sources:
        audience = ", ".join(source.audience)
        print(f"{source.where}  {source.documents} documents, {source.chunks} chunks  [{audience}]  {source.title}")
        for skipped in source.skipped:
            print(f"  skipped {skipped.path}: {skipped.reason}")
    return 0


def _cancel(store: redis.Redis) -> int:
    if Runs(store).cancel():
        print("The reindexing ends after the batch of chunks under way; the old index stays.")
        return 0
    print("madoguchi: no reindexing is under way in the service", file=sys.stderr)
    return 1


def _here(wish: Wish) -> dict[str, Any]:
    """What came of a wish that this process carries out itself."""
    from workers.indexing import failure, outcome  # noqa: PLC0415 - loads what a running service has loaded

    with tqdm(unit="chunk") as bar:
        try:
            return outcome(KnowledgeSettings(), wish, lambda step: _show(bar, step))
        except KnowledgeError as error:
            return failure(error)


def _through_the_service(wish: Wish, settings: BotSettings) -> dict[str, Any]:
    """What came of a wish that the knowledge process carries out, or of the one that it is carrying out already."""
    runs = Runs(connect(settings.store_url, timeout_s=STORE_TIMEOUT_S))
    run = runs.wish(wish)
    if run != wish.run:
        print("Another reindexing is under way; following that one.", file=sys.stderr)
    waits_until = time.monotonic() + TAKEN_WITHIN_S
    with tqdm(unit="chunk") as bar:
        while (facts := runs.facts(run))["state"] not in ENDED:
            if facts["state"] == "running":
                _show(bar, Step(facts["stage"], facts["done"], facts["total"]))
            elif time.monotonic() > waits_until:
                bar.write("waiting for the knowledge process", file=sys.stderr)
                waits_until += TAKEN_WITHIN_S
            time.sleep(LOOK_EVERY_S)
    return facts


def _show(bar: tqdm[Any], step: Step) -> None:
    if step.stage != bar.desc.removesuffix(": "):
        bar.reset()
        bar.set_description(step.stage, refresh=False)
    bar.total = step.total
    bar.update(step.done - bar.n)


def _report(facts: Mapping[str, Any]) -> int:
    if facts["state"] != "done":
        print("\n".join([f"madoguchi: {facts['reason']}", *worse_lines(facts, "en")]), file=sys.stderr)
        return 1
    print("\n".join(outcome_lines(facts, "en")))
    return 0
