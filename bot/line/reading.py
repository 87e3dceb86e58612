"""Marking messages as read: what a person sees beside their message when the desk has taken it up.

Key: `line:marks_refused`, for an hour after LINE refused. It does where the account's Chat is off in its settings:
there LINE marks every message by itself, so nothing is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import redis

from bot.errors import DeliveryError, DeliveryFailed
from bot.line.api import LineApi
from bot.platform import Journal
from bot.store import store_errors

log = logging.getLogger(__name__)

REFUSED_S = 3600
_REFUSED = "line:marks_refused"


class ReadMark:
    """The mark on one message, and on all before it in its chat."""

    def __init__(self, reply_to: Mapping[str, Any], journal: Journal, *, api: LineApi, store: redis.Redis) -> None:
        self._token: str = reply_to.get("read_token") or ""
        self._journal = journal
        self._api = api
        self._store = store

    def show(self) -> None:
        """Have LINE show it, once in the message's journal. Best effort: LINE's failures are logged.

        Raises:
            LockLost, StoreUnavailable
        """
        token, self._token = self._token, ""
        if not token or self._journal.read().get("read"):
            return
        with store_errors():
            if self._store.exists(_REFUSED):
                return
        self._journal.write(read=True)  # first: a second call is of no use to anybody
        try:
            self._api.mark_as_read(token)
        except DeliveryFailed as error:
            log.info("marks refused", extra={"platform": "line", "reason": str(error), "pause_s": REFUSED_S})
            with store_errors():
                self._store.set(_REFUSED, "1", ex=REFUSED_S)
        except DeliveryError as error:
            log.info("not marked as read", extra={"platform": "line", "reason": str(error)})
