"""Dead letters: questions and orders that could not be answered or carried out, for the operator to retry or drop.

A question's letter keeps the journal of its answer (`letter:{id}`), so that a retry delivers what had been generated,
and shows no part of it twice. While its messages wait once more, the journal waits too: `workers/lua/take.lua`. After
an apology, which counts as an answer, a retry makes a new one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import redis

from bot.messages import JSONObject
from bot.store import script, store_errors, text

log = logging.getLogger(__name__)

MOST = 2_000
"""Letters that are kept; the oldest go first."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What could not be done.

    Args:
        id: the newest message's id, or the order's.
        at: when it was given up (seconds since the epoch).
        apologised: the person has an apology; else they saw nothing, or only a part of the answer.
        messages: what was asked, oldest first; empty for an order.
        order: the control event; empty for a question.
        stored: the letter as the store has it.
    """

    id: str
    reason: str
    at: float
    apologised: bool
    messages: tuple[JSONObject, ...]
    order: JSONObject
    stored: str

    @classmethod
    def from_store(cls, name: str, stored: str) -> Self:
        """The letter that `workers/lua/finish.lua` or `bury.lua` wrote."""
        facts: dict[str, Any] = json.loads(stored)
        said, order = tuple(facts.get("messages", ())), facts.get("control", {})
        return cls(name, facts["reason"], facts["at"], facts.get("apologised", False), said, order, stored)

    @property
    def kind(self) -> Literal["question", "order"]:
        return "question" if self.messages else "order"

    @property
    def _about(self) -> JSONObject:
        return self.messages[-1] if self.messages else self.order

    @property
    def platform(self) -> str:
        return str(self._about.get("platform", "?"))

    @property
    def conversation_id(self) -> str:
        return str(self._about.get("conversation_id", ""))


class DeadLetters:
    """The dead letters of all conversations. Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._ask_again = script(store, "workers", "ask_again")
        self._order_again = script(store, "workers", "order_again")
        self._drop = script(store, "workers", "drop_letter")

    def all(self) -> list[DeadLetter]:
        """Every letter, the oldest first."""
        with store_errors():
            stored = self._store.hgetall("dead")
        letters = [DeadLetter.from_store(text(name), text(letter)) for name, letter in stored.items()]
        return sorted(letters, key=lambda letter: letter.at)

    def silent(self) -> int:
        """Of how many letters the person has not even an apology: broken promises."""
        with store_errors():
            return int(self._store.scard("dead:silent"))

    def retry(self, letter_id: str, now: float) -> DeadLetter | None:
        """Have it asked, or ordered, once more; None when there is no such letter (any more).

        A worker has to be told: of the conversation for a question, of the letter's id for an order.
        """
        while letter := self._find(letter_id):
            if self._put_back(letter, now):
                return letter
        return None

    def drop(self, letter_id: str) -> DeadLetter | None:
        """Drop it for good; None when there is no such letter (any more)."""
        letter = self._find(letter_id)
        if letter is None:
            return None
        with store_errors():
            dropped = self._drop(keys=["dead", f"letters:{letter.conversation_id}"], args=[letter_id])
        return letter if dropped else None

    def drop_oldest(self, before: float, most: int = MOST) -> int:
        """Drop what was given up before a time, and the oldest beyond `most`; how many went."""
        with store_errors():
            going = max(self._store.zcount("dead:since", "-inf", before), self._store.zcard("dead:since") - most)
            oldest: list[Any] = self._store.zrange("dead:since", 0, going - 1) if going > 0 else []
        dropped = sum(self.drop(text(name)) is not None for name in oldest)
        if dropped:
            log.warning("dead letters dropped", extra={"letters": dropped})
        return dropped

    def reword(self, conversation_id: str, message_id: str, words: str) -> None:
        """A message among the letters says something else; an answer to its old words goes, unless it is on its way."""

        def replace(pipeline: redis.client.Pipeline) -> None:
            names: list[Any] = pipeline.zrange(f"letters:{conversation_id}", 0, -1)
            found = [self._find(text(name)) for name in names]
            asking = [letter for letter in found if letter and any(m["id"] == message_id for m in letter.messages)]
            on_their_way = {one.id: pipeline.hexists(f"letter:{one.id}", "journal:on_its_way") for one in asking}
            pipeline.multi()
            for letter in asking:
                pipeline.hset("dead", letter.id, _reworded(letter, message_id, words))
                if not on_their_way[letter.id]:
                    pipeline.hdel(f"letter:{letter.id}", "journal:answer")

        with store_errors():
            self._store.transaction(replace, "dead", f"letters:{conversation_id}")

    def _find(self, letter_id: str) -> DeadLetter | None:
        with store_errors():
            stored = self._store.hget("dead", letter_id)
        return DeadLetter.from_store(letter_id, text(stored)) if stored is not None else None

    def _put_back(self, letter: DeadLetter, now: float) -> bool:
        """Whether it is back where it came from; False: it has changed since it was read."""
        c, read = letter.conversation_id, [letter.id, letter.stored]
        if letter.kind == "order":
            keys = ["dead", f"letters:{c}", "controls", "controls:due"]
            with store_errors():
                return bool(self._order_again(keys=keys, args=[*read, _order(letter.order), now]))
        keys = ["dead", f"letters:{c}", f"inbox:{c}", f"messages:{c}", "ready", f"over:{c}"]
        asked = [part for m in letter.messages for part in (m["id"], m["sent_at"], _as_json(m))]
        with store_errors():
            return bool(self._ask_again(keys=keys, args=[*read, c, now, *asked]))


def _order(order: JSONObject) -> str:
    """A control event as it was; of one that nobody could read its very text."""
    return str(order["unreadable"]) if order.keys() == {"unreadable"} else _as_json(order)


def _reworded(letter: DeadLetter, message_id: str, words: str) -> str:
    messages: Sequence[Mapping[str, Any]] = [
        {**m, "text": words} if m["id"] == message_id else m for m in letter.messages
    ]
    return _as_json({**json.loads(letter.stored), "messages": messages})


def _as_json(value: JSONObject) -> str:
    return json.dumps(value, ensure_ascii=False)
