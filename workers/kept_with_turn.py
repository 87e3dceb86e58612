"""What came of a question and is kept for a while: as long as its turn stands, at most so many, each under its name.

An erasure looks through all of them; what cannot be read might be anybody's.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any, Generic, Protocol, Self, TypeVar

import redis

from bot.messages import UnreadableRecord
from bot.store import script, store_errors, text
from workers.conversation import Turn


class Concerning(Protocol):
    """A record of something that somebody asked."""

    @classmethod
    def from_json(cls, text: str | bytes) -> Self: ...

    def to_json(self) -> str: ...

    def concerns(self, person: str, message_ids: Sequence[str]) -> bool:
        """Whether the person asked, or it is about one of the messages."""
        ...


R = TypeVar("R", bound=Concerning)


class KeptWithTurn(Generic[R]):
    """Records of one kind in the store. Methods raise StoreUnavailable when it does not answer."""

    def __init__(self, store: redis.Redis, kind: type[R], *, key: str, names: str) -> None:
        """Each under the key `{key}:{name}`; `names` is the sorted set of the names by the time they end."""
        self._store = store
        self._kind = kind
        self._before = f"{key}:"
        self._names = names
        self._keep = script(store, "workers", "keep_with_turn")

    def keep(self, name: str, record: R, *, conversation_id: str, asked: Turn, life_s: int, most: int) -> None:
        """Keep it, if the conversation has the question's turn as it was asked; the oldest beyond `most` goes."""
        with store_errors():
            self._keep(
                keys=[f"turns:{conversation_id}", self._key(name), self._names],
                args=[asked.to_json(), name, record.to_json(), life_s, time.time(), most, self._before],
            )

    def get(self, name: str) -> R | None:
        """The record of this name; None where there is none that can be read."""
        with store_errors():
            return self._read(self._store.get(self._key(name)))

    def all(self) -> list[tuple[str, R | None]]:
        """The name of every record that has not ended, and the record; None for one that cannot be read."""
        with store_errors():
            names: list[Any] = self._store.zrange(self._names, 0, -1)
            stored = self._store.mget([self._key(text(name)) for name in names]) if names else []
        return [(text(name), self._read(one)) for name, one in zip(names, stored, strict=True)]

    def concerning(self, person: str, message_ids: Sequence[str]) -> list[str]:
        """The names of those of what the person asked, or of these messages, and of those that cannot be read."""
        return [name for name, record in self.all() if record is None or record.concerns(person, message_ids)]

    def drop(self, names: Collection[str]) -> int:
        """Drop those of these names; how many went."""
        if not names:
            return 0
        with store_errors(), self._store.pipeline() as step:
            step.delete(*map(self._key, names))
            step.zrem(self._names, *names)
            gone: int = step.execute()[0]
        return gone

    def _key(self, name: str) -> str:
        return f"{self._before}{name}"

    def _read(self, stored: str | bytes | None) -> R | None:
        try:
            return self._kind.from_json(stored) if stored is not None else None
        except UnreadableRecord:
            return None
