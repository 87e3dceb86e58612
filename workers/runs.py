"""Reindexings as the store knows them: what is wished for, how far it is, what came of it.

The wish is the truth. The knowledge process looks for one every second, so nothing is lost with a hint or a process.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal

import redis

from bot.store import store_errors

FACTS_LIFE_S = 24 * 3600
"""Names of skipped files are among the facts; they are not kept for long."""
SILENT_AFTER_S = 15.0
"""A run that tells nothing for so long, in a process without a heartbeat, was interrupted."""
ENDED: Final = frozenset({"done", "failed", "cancelled"})

WISH, CANCEL, LAST = "reindex:wish", "reindex:cancel", "reindex:last"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the knowledge process is to do with the index.

    Args:
        run: the name under which it is told what becomes of it.
        begun: how often a process took it up and did not bring it to an end.
    """

    run: str
    verb: Literal["reindex", "rollback"] = "reindex"
    allow_empty: bool = False
    accept: bool = False
    dry_run: bool = False
    begun: int = 0


class Runs:
    """The wish, and the facts of every run. Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store

    def wish(self, wish: Wish) -> str:
        """The run that the wisher is to follow: the wish's own, or the one that is under way.

        The same wish again (after a crash of who wished) is the same run, also when that has ended.
        """
        with store_errors():
            if self._store.exists(f"reindex:{wish.run}"):
                return wish.run
            if self._store.set(WISH, json.dumps(asdict(wish)), nx=True):
                return wish.run
        under_way = self.wished()
        return under_way.run if under_way else self.wish(wish)

    def wished(self) -> Wish | None:
        """What is to be done, or being done."""
        with store_errors():
            stored = self._store.get(WISH)
        if stored is None:
            return None
        known = {field.name for field in fields(Wish)}
        return Wish(**{name: value for name, value in json.loads(stored).items() if name in known})

    def take(self) -> Wish | None:
        """The wish, counted as begun once more."""
        wish = self.wished()
        if wish is None:
            return None
        taken = replace(wish, begun=wish.begun + 1)
        with store_errors():
            self._store.set(WISH, json.dumps(asdict(taken)), xx=True)
        return taken

    def put_back(self, taken: Wish) -> None:
        """Leave the wish for later; this try does not count."""
        self.tell(taken.run, {"state": "waiting"})
        with store_errors():
            self._store.set(WISH, json.dumps(asdict(replace(taken, begun=taken.begun - 1))), xx=True)

    def tell(self, run: str, facts: Mapping[str, Any]) -> None:
        """Note how far a run is."""
        with store_errors(), self._store.pipeline(transaction=True) as together:
            self._write(together, run, facts)
            together.execute()

    def end(self, run: str, facts: Mapping[str, Any]) -> None:
        """Note what came of a run; nothing is wished for any more if that was it."""
        mine = (wish := self.wished()) is not None and wish.run == run
        with store_errors(), self._store.pipeline(transaction=True) as together:
            self._write(together, run, facts)
            if mine:
                together.delete(WISH, CANCEL)
            together.execute()

    def facts(self, run: str) -> dict[str, Any]:
        """How far a run is: `state` is waiting, running, interrupted, done, failed or cancelled."""
        with store_errors():
            stored, alive = self._store.get(f"reindex:{run}"), self._store.exists("status:knowledge")
        facts: dict[str, Any] = json.loads(stored) if stored else {"state": "waiting"}
        silent_s = time.time() - facts.get("at", 0.0)
        if facts["state"] == "running" and not alive and silent_s > SILENT_AFTER_S:
            facts["state"] = "interrupted"
        return facts

    def last(self) -> dict[str, Any] | None:
        """The facts of the run that was told of last, or of the one that is wished for."""
        wish = self.wished()
        with store_errors():
            run = wish.run if wish else self._store.get(LAST)
        return self.facts(str(run)) if run else None

    def cancel(self) -> bool:
        """Have what is under way broken off after the batch of chunks at hand; whether anything is."""
        wish = self.wished()
        if wish is None or wish.verb != "reindex":
            return False
        with store_errors():
            self._store.set(CANCEL, wish.run, ex=FACTS_LIFE_S)
        return True

    def is_cancelled(self, run: str) -> bool:
        """Whether somebody wants this run broken off."""
        with store_errors():
            return bool(self._store.get(CANCEL) == run)

    @staticmethod
    def _write(together: Any, run: str, facts: Mapping[str, Any]) -> None:
        told = json.dumps({**facts, "at": time.time()}, ensure_ascii=False)
        together.set(f"reindex:{run}", told, ex=FACTS_LIFE_S)
        together.set(LAST, run, ex=FACTS_LIFE_S)
