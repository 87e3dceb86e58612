"""A tap on 「答えを受け取る」 or 「続きを読む」 that came before there was anything to hand over: its token waits, too.

Key: `tap:{conversation}`, which ends with the token. Who takes a tap spends it: nobody else finds it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import redis

from bot.store import store_errors, text


class Taps:
    """The newest tap of each conversation whose token is alive. Methods raise StoreUnavailable."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store

    def wait(self, conversation_id: str, reply_to: Mapping[str, Any]) -> None:
        """Have the tap wait for what comes next; nothing, when its token is as good as gone."""
        left_ms = round((reply_to["expires_at"] - time.time()) * 1000)
        if reply_to.get("reply_token") and left_ms > 0:
            with store_errors():
                self._store.set(f"tap:{conversation_id}", json.dumps(dict(reply_to)), px=left_ms)

    def expires_at(self, conversation_id: str) -> float | None:
        """Until when the tap that waits can be used, seconds since the epoch; None where none does."""
        with store_errors():
            waiting = self._store.get(f"tap:{conversation_id}")
        return float(json.loads(text(waiting))["expires_at"]) if waiting else None

    def take(self, conversation_id: str) -> Mapping[str, Any] | None:
        """Where the answer to the tap goes, for who takes it alone."""
        with store_errors():
            waiting: Any = self._store.getdel(f"tap:{conversation_id}")
        taken: Mapping[str, Any] | None = json.loads(text(waiting)) if waiting else None
        return taken
