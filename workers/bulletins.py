"""One message for each order that takes its time: it says how far the work is, until it says what came of it.

The store has which messages there are and what they say, so any clerk goes on with them after a kill.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

import redis

from bot.capabilities import Board
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed
from bot.messages import Command
from bot.platform import Sender
from bot.store import store_errors, text
from workers.run_texts import progress
from workers.runs import ENDED, Runs

log = logging.getLogger(__name__)

BULLETINS, PACE = "bulletins", "bulletins:pace"
EVERY_MS = 1_900
"""No message changes more often, however many clerks there are: Slack takes about 50 updates a minute."""
AGAIN_AFTER_S = 5.0
POSTED_LIFE_S = 24 * 3600


class Bulletins:
    """The messages that tell of runs. Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: redis.Redis, senders: Mapping[str, Sender]) -> None:
        self._store = store
        self._boards = {name: sender for name, sender in senders.items() if isinstance(sender, Board)}
        self._runs = Runs(store)

    def post(self, control_id: str, event: Command, run: str) -> None:
        """Post the message of an order that a run carries out; once, however often it is called.

        Raises:
            DeliveryError: it is not posted, or may not be.
        """
        with store_errors():
            if self._store.exists(f"bulletin:{control_id}"):
                return
        shown = progress(self._runs.facts(run), event.language)
        posted = self._boards[event.platform].post(event.reply_to, shown)
        bulletin = {
            "run": run, "platform": event.platform, "posted": dict(posted), "language": event.language, "shown": shown
        }  # fmt: skip
        with store_errors(), self._store.pipeline(transaction=True) as together:
            together.set(f"bulletin:{control_id}", "1", ex=POSTED_LIFE_S)
            together.hset(BULLETINS, control_id, json.dumps(bulletin, ensure_ascii=False))
            together.execute()

    def refresh(self) -> None:
        """Have every message say how far its run is; one whose run has ended says what came of it and is done with."""
        with store_errors():
            if not self._store.set(PACE, "1", nx=True, px=EVERY_MS):
                return
            stored = self._store.hgetall(BULLETINS)
        for control_id, bulletin in stored.items():
            self._refresh(text(control_id), json.loads(bulletin))

    def _refresh(self, control_id: str, bulletin: dict[str, Any]) -> None:
        board = self._boards.get(bulletin["platform"])
        if board is None or bulletin.get("not_before", 0.0) > time.time():
            return
        facts = self._runs.facts(bulletin["run"])
        shown = progress(facts, bulletin["language"])
        try:
            if shown != bulletin["shown"]:
                board.edit(bulletin["posted"], shown)
        except DeliveryFailed as error:  # deleted by its reader, or the bot has been shut out
            log.warning("bulletin given up", extra={"platform": bulletin["platform"], "reason": str(error)})
            self._drop(control_id)
        except DeliveryError as error:
            wait_s = error.retry_after_s if isinstance(error, DeliveryDeferred) else None
            self._keep(control_id, bulletin | {"not_before": time.time() + (wait_s or AGAIN_AFTER_S)})
        else:
            if facts["state"] in ENDED:
                self._drop(control_id)
            elif shown != bulletin["shown"]:
                self._keep(control_id, bulletin | {"shown": shown})

    def _keep(self, control_id: str, bulletin: Mapping[str, Any]) -> None:
        with store_errors():
            self._store.hset(BULLETINS, control_id, json.dumps(bulletin, ensure_ascii=False))

    def _drop(self, control_id: str) -> None:
        with store_errors():
            self._store.hdel(BULLETINS, control_id)
