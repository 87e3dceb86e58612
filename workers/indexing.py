"""Reindexing as the knowledge process does it: by wish, told step by step, broken off when somebody wants that."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from bot.checkpoints import checkpoint
from bot.errors import StoreUnavailable
from bot.queue import FIRST_RUN
from knowledge.errors import GoldenWorse, KnowledgeError, ReindexRunning
from knowledge.reindexing import reindex, rollback
from knowledge.report import Report, Step
from knowledge.settings import KnowledgeSettings
from workers.pace import Pace
from workers.runs import Runs, Wish

log = logging.getLogger(__name__)

Told = Callable[[Step], None]

LOOK_EVERY_S = 1.0
TELL_EVERY_S = 0.2
TRY_AGAIN_S = 60.0
MOST_BEGUN = 3


class ServiceEnds(KnowledgeError):
    """A reindexing was broken off because its process is to end."""


class Cancelled(KnowledgeError):
    """A reindexing was broken off because somebody wanted that."""


class Indexing:
    """Carries out what is wished for, one at a time; `end` breaks it off."""

    def __init__(self, store: redis.Redis, settings: KnowledgeSettings) -> None:
        self._runs = Runs(store)
        self._settings = settings
        self._ending = threading.Event()
        self._one = threading.Lock()

    def end(self, **_: object) -> None:
        """Break off after the batch of chunks under way, now and from now on."""
        self._ending.set()

    def run_at_last(self, again_after_s: float = TRY_AGAIN_S) -> None:
        """Make the first index; try again for as long as it fails (the folder is not mounted yet, the disk is full)."""
        while not self._ending.is_set() and not self.run(FIRST_RUN, allow_empty=False):
            self._ending.wait(again_after_s)

    def run(self, run_id: str, *, allow_empty: bool) -> bool:
        """Reindex once without anybody's wish, and whether that worked; a failure is told, the old index stays."""
        with self._one:
            return self._end(run_id, self._outcome(Wish(run_id, allow_empty=allow_empty)))

    def fulfil(self) -> None:
        """Carry out what is wished for, again and again; what a killed process has left is gone on with."""
        while not self._ending.is_set():
            try:
                self.take_up()
            except StoreUnavailable as error:
                log.warning("no wishes read", extra={"error": str(error)})
            except Exception:  # the thread must outlive what nobody foresaw
                log.exception("wish failed")
            self._ending.wait(LOOK_EVERY_S)

    def take_up(self) -> None:
        """Carry out what is wished for now, if anything is.

        Raises:
            StoreUnavailable
        """
        with self._one:
            wish = self._runs.take()
            if wish is None:
                return
            if wish.begun > MOST_BEGUN:
                self._end(wish.run, {"state": "failed", "reason": f"it ended its process {MOST_BEGUN} times"})
                return
            try:
                self._end(wish.run, self._outcome(wish, postponed=(ServiceEnds, ReindexRunning)))
            except (ServiceEnds, ReindexRunning):
                self._runs.put_back(wish)

    def _outcome(self, wish: Wish, *, postponed: tuple[type[KnowledgeError], ...] = ()) -> dict[str, Any]:
        """What came of it as JSON values; errors that are `postponed` are raised."""
        self._tell(wish.run, {"state": "running", "stage": "", "done": 0, "total": 0})
        try:
            return outcome(self._settings, wish, self._progress(wish.run))
        except postponed:
            raise
        except KnowledgeError as error:
            return failure(error)
        except Exception as error:  # told all the same, or it would be "running" for ever, and be tried for ever
            log.exception("reindexing failed")
            return {"state": "failed", "reason": f"unexpected: {type(error).__name__}"}

    def _progress(self, run_id: str) -> Told:
        """What a reindexing calls at every step: tells it now and then, and breaks it off when that is wanted."""
        pace, next_word, stage = Pace(), 0.0, ""

        def told(step: Step) -> None:
            nonlocal next_word, stage
            if self._ending.is_set():
                raise ServiceEnds("the service ended before it was done; what was embedded is kept for the next time")
            now = time.monotonic()
            speed = pace.at(step, now)
            if now >= next_word or step.stage != stage or step.done == step.total:
                next_word, stage = now + TELL_EVERY_S, step.stage
                self._break_off_if_cancelled(run_id)
                facts = {"stage": step.stage, "done": step.done, "total": step.total}
                self._tell(run_id, {"state": "running", **facts, **speed})

        return told

    def _break_off_if_cancelled(self, run_id: str) -> None:
        with contextlib.suppress(StoreUnavailable):  # asked again at the next step
            if self._runs.is_cancelled(run_id):
                raise Cancelled("cancelled; the old index stays, what was embedded is kept for the next time")

    def _end(self, run_id: str, facts: dict[str, Any]) -> bool:
        log.info("run ended", extra={name: facts[name] for name in ("state", "generation") if name in facts})
        try:
            self._runs.end(run_id, facts)
        except StoreUnavailable as error:  # the wish stays; carried out again it finds nothing to do
            log.warning("outcome not told", extra={"error": str(error)})
        return bool(facts["state"] == "done")

    def _tell(self, run_id: str, facts: dict[str, Any]) -> None:
        try:
            self._runs.tell(run_id, facts)
        except StoreUnavailable as error:
            log.warning("progress not told", extra={"error": str(error)})


def outcome(settings: KnowledgeSettings, wish: Wish, told: Told) -> dict[str, Any]:
    """Carry out a wish, and what came of it as JSON values; `state` is `done`.

    Raises:
        KnowledgeError: nothing came of it, the old index stays.
    """
    if wish.verb == "rollback":
        return {"state": "done", "verb": "rollback", "generation": rollback(settings)}

    def passed(step: Step) -> None:
        told(step)
        checkpoint(step.stage)

    report = reindex(settings, progress=passed, allow_empty=wish.allow_empty, accept=wish.accept, dry_run=wish.dry_run)
    return {"state": "done", "verb": "reindex", **_as_json(report)}


def failure(error: KnowledgeError) -> dict[str, Any]:
    """Why nothing came of it, as JSON values."""
    state = "cancelled" if isinstance(error, Cancelled) else "failed"
    worse = list(error.worse) if isinstance(error, GoldenWorse) else []
    return {"state": state, "reason": str(error), "worse": worse}


def _as_json(report: Report) -> dict[str, Any]:
    golden = report.golden
    return {
        "changed": report.changed,
        "dry_run": report.dry_run,
        "generation": report.generation,
        "documents": report.documents,
        "chunks": report.chunks,
        "embedded": report.embedded,
        "added": report.added,
        "removed": report.removed,
        "skipped": [{"path": str(one.path), "reason": one.reason} for one in report.skipped],
        "golden": golden
        and {
            "asked": golden.asked,
            "right_before": golden.right_before,
            "right_now": golden.right_now,
            "worse": list(golden.worse),
            "retired": list(golden.retired),
        },
    }
