"""The message path in plain Python: a model that runs beside the store and says what it must hold after every step."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import redis

from bot.inbox import ROOM
from bot.messages import Message
from workers.batches import MOST_HELD_OF_ONE_PERSON, MOST_MESSAGES
from workers.conversation import Turn

Token = str
Exchange = tuple[list[str], list[str], str]
"""The ids of what was asked, its words as they are now, and the answer to it."""


@dataclass
class Begun:
    """The messages that one answer will cover, and what its journal says. Nobody's while it is handed back."""

    ids: list[str]
    token: Token | None
    lane: str
    journal: dict[str, Any] = field(default_factory=dict)


@dataclass
class ExpectedConversation:
    """One conversation as the store must hold it."""

    waiting: dict[str, Message] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    lock: Token | None = None
    begun: Begun | None = None
    attempts: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    epoch: int = 0
    due: float | None = None

    def inbox(self) -> list[str]:
        """What waits, by the platform's time; the id decides between equals."""
        return sorted(self.waiting, key=lambda message_id: (self.waiting[message_id].sent_at, message_id))

    def accept(self, message: Message, now: float, *, over_limit: bool) -> None:
        self.waiting[message.id] = message
        self.due = now if self.due is None else self.due
        if over_limit:
            self.over.add(message.id)

    def lane(self, message_id: str) -> str:
        """Whose turn it is with this message; notices to who writes too much have lanes of their own."""
        return ("over:" if message_id in self.over else "") + self.waiting[message_id].user_id

    def next_ids(self) -> list[str]:
        """What comes next, if nobody holds it: the batch begun before, else the run of one lane at the head."""
        if self.lock:
            return []
        if self.begun:
            return self.begun.ids
        for lane, run in itertools.groupby(self.inbox(), key=self.lane):
            return [*run][: ROOM if lane.startswith("over:") else MOST_MESSAGES]
        return []

    def take(self, ids: list[str], token: Token, *, looks: bool) -> None:
        """A worker got them; who only looks makes no attempt to answer."""
        self.begun = Begun(ids, token, self.lane(ids[0]), self.begun.journal if self.begun else {})
        self.lock = token
        self.attempts += not looks

    def holds(self, token: Token) -> bool:
        """Whether this worker may send."""
        return self.lock == token and self.begun is not None and self.begun.token == token

    def note(self, token: Token, facts: dict[str, Any]) -> bool:
        """Whether the journal takes these facts."""
        if self.begun is None or not self.holds(token):
            return False
        self.begun.journal.update(facts)
        return True

    def hand_back(self, token: Token, due: float, *, forgive: bool) -> bool:
        """Whether it was this worker's to hand back."""
        begun_by_it = self.begun is not None and self.begun.token == token
        if not begun_by_it and self.lock != token:
            return False
        if self.lock == token:
            self.lock = None
        if self.begun:
            self.begun.token = None
        self.attempts = max(0, self.attempts - forgive)
        self.due = due
        return True

    def finish(self, ids: list[str], now: float) -> None:
        self._drop(set(ids))
        self.lock, self.begun, self.attempts = None, None, 0
        self.due = now if self.waiting else None

    def remember(self, ids: list[str], answer: str, *, cut: int) -> None:
        """Before `finish`: the exchange, in the words that its messages have now."""
        words = [self.waiting[message_id].text for message_id in ids]
        self.exchanges = [*self.exchanges[cut:], (ids, words, answer)]

    def reword(self, message_id: str, text: str) -> None:
        if message_id in self.waiting:
            self.waiting[message_id] = replace(self.waiting[message_id], text=text)
            if self.begun and "on_its_way" not in self.begun.journal:
                self.begun.journal.pop("answer", None)
        for ids, words, _ in self.exchanges:
            if message_id in ids:
                words[ids.index(message_id)] = text

    def erase(self, gone: set[str]) -> None:
        self._drop(gone)
        self.exchanges = [exchange for exchange in self.exchanges if not gone.intersection(exchange[0])]
        if self.begun and gone.intersection(self.begun.ids):  # its journal may hold an answer to what is gone
            self.begun, self.attempts = None, 0
        if not self.waiting:
            self.due = None

    def reset(self) -> None:
        self.exchanges = []
        self.epoch += 1

    def sweep(self, now: float, again_at: float, overdue_since: float) -> bool:
        """Whether the clerk hints at it: it is due and nobody's, and its first hint was read or is overdue."""
        if self.due is None or self.due > now:
            return False
        hinted = not self.lock and (self.due <= overdue_since or self.begun is not None)
        if hinted or self.lock:
            self.due = again_at
        return hinted

    def _drop(self, gone: set[str]) -> None:
        self.waiting = {message_id: said for message_id, said in self.waiting.items() if message_id not in gone}
        self.over -= gone

    def facts(self) -> dict[str, Any]:
        """What `facts_in` must read."""
        return {
            "lock": self.lock,
            "inbox": self.inbox(),
            "messages": self.waiting,
            "over": self.over,
            "batch": self.begun,
            "attempts": self.attempts,
            "turns": [*_turns(self.exchanges)],
            "epoch": self.epoch,
        }


@dataclass
class ExpectedLane:
    """One person's turn: where their batches are held, and which conversations wait for one of those to end."""

    answering: set[str] = field(default_factory=set)
    held_up: list[str] = field(default_factory=list)

    def admits(self, conversation: str, locked: set[str]) -> bool:
        """Whether one more may be held; a conversation without a lock has lost its worker."""
        self.answering &= locked
        if len(self.answering) >= MOST_HELD_OF_ONE_PERSON:
            self.held_up += [conversation] if conversation not in self.held_up else []
            return False
        self.answering.add(conversation)
        self.held_up = [other for other in self.held_up if other != conversation]
        return True


def facts_in(store: redis.Redis, conversation_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the store holds of these conversations, in one look."""
    with store.pipeline() as look:
        for c in conversation_ids:
            look.get(f"lock:{c}")
            look.zrange(f"inbox:{c}", 0, -1)
            look.hgetall(f"messages:{c}")
            look.smembers(f"over:{c}")
            look.hgetall(f"batch:{c}")
            look.get(f"attempts:{c}")
            look.lrange(f"turns:{c}", 0, -1)
            look.get(f"epoch:{c}")
        seen = iter(look.execute())
    return {c: _facts(*itertools.islice(seen, 8)) for c in conversation_ids}


def _facts(  # in the order of the look
    lock: Any, inbox: Any, messages: Any, over: Any, batch: Any, attempts: Any, turns: Any, epoch: Any
) -> dict[str, Any]:
    return {
        "lock": lock,
        "inbox": inbox,
        "messages": {message_id: Message.from_json(stored) for message_id, stored in messages.items()},
        "over": over,
        "batch": _begun(batch) if batch else None,
        "attempts": int(attempts or 0),
        "turns": [(turn.role, [*turn.message_ids], [*turn.texts]) for turn in map(Turn.from_json, turns)],
        "epoch": int(epoch or 0),
    }


def _begun(stored: dict[str, str]) -> Begun:
    journal = {n.removeprefix("journal:"): json.loads(v) for n, v in stored.items() if n.startswith("journal:")}
    return Begun(json.loads(stored["ids"]), stored.get("token"), stored["lane"], journal)


def _turns(exchanges: Sequence[Exchange]) -> Iterator[tuple[str, list[str], list[str]]]:
    for ids, words, answer in exchanges:
        yield "user", ids, words
        yield "assistant", ids, [answer]
