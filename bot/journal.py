"""A delivery's journal where no conversation is locked: for confirmations of orders and for what a button fetches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import redis

from bot.store import store_errors, text


class UnlockedJournal:
    """Facts in a hash of the store that ends by itself (`bot.platform.Journal`).

    Args:
        key: the hash.
        life_s: how long it is kept after the last fact.
    """

    def __init__(self, store: redis.Redis, key: str, life_s: int) -> None:
        self._store = store
        self._key = key
        self._life_s = life_s

    def read(self) -> Mapping[str, Any]:
        """The facts written so far."""
        with store_errors():
            return {text(name): json.loads(value) for name, value in self._store.hgetall(self._key).items()}

    def write(self, **facts: Any) -> None:
        """Add facts, durable on return."""
        with store_errors(), self._store.pipeline(transaction=True) as together:
            together.hset(self._key, mapping={name: json.dumps(value) for name, value in facts.items()})
            together.expire(self._key, self._life_s)
            together.execute()

    def check(self) -> None:
        """Nothing: there is no lock to lose."""
