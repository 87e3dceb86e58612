"""Which kinds of events a platform has sent, and when last: none tells a bot what it is subscribed to."""

from __future__ import annotations

import time
from contextlib import suppress

import redis

from bot.store import store_errors, text

AGAIN_AFTER_S = 600.0


class Sightings:
    """Notes kinds of one platform, each once in a while, so that webhooks do not wait for the disk for it."""

    def __init__(self, store: redis.Redis, platform: str) -> None:
        self._store = store
        self._key = f"{platform}:seen"
        self._noted: dict[str, float] = {}

    def note(self, kind: str) -> None:
        """Note that such an event came; nothing for an empty kind. Best effort."""
        now = time.time()
        if not kind or now - self._noted.get(kind, 0.0) < AGAIN_AFTER_S:
            return
        self._noted[kind] = now
        with suppress(redis.RedisError):
            self._store.hset(self._key, kind, str(round(now)))

    def all(self) -> dict[str, float]:
        """By kind when it was last noted, seconds since the epoch.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            return {text(kind): float(at) for kind, at in self._store.hgetall(self._key).items()}
