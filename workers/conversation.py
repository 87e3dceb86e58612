"""Conversations: what has been said so far, in the store, with an expiry."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Literal, Self

import redis

from bot.messages import Record, UnreadableRecord
from bot.store import REMEMBERED_S, script, store_errors, text
from knowledge.pointing import only_points
from workers.files.keys import file_keys
from workers.gaps.gap import gap_keys

LIFE_S = 14 * 24 * 3600
ERASED_KNOWN_S = 3600
"""So long the workers can read that something was erased; what one computed does not outlive its process."""


@dataclass(frozen=True, slots=True)
class Quoted(Record):
    """A passage as it was shown to the model: what it was under, its words, and which chunk of the documents it is.

    A turn that an older version wrote does not know its chunk; no index has the empty id.
    """

    source: str
    text: str
    chunk_id: str = ""


@dataclass(frozen=True, slots=True)
class Recalled(Record):
    """What somebody stated in a message whose turn had to go; it goes with that message."""

    text: str
    message_id: str
    speaker: str


@dataclass(frozen=True, slots=True)
class Turn(Record):
    """One turn: what was said, by whom, over which passages, and which messages it is (or answers).

    A user's turn may be several messages; `texts` and `message_ids` then run in parallel. What was stated in the turns
    that were cut for it is `recalled`.
    """

    role: Literal["user", "assistant"]
    texts: tuple[str, ...]
    speaker: str
    message_ids: tuple[str, ...]
    passages: tuple[Quoted, ...] = field(default=())
    recalled: tuple[Recalled, ...] = field(default=())

    @property
    def text(self) -> str:
        """All of it, a line a message."""
        return "\n".join(filter(None, self.texts))  # a message may be files alone

    def reworded(self, message_id: str, words: str) -> Turn:
        """The turn with one of its messages saying something else; what that one stated before is forgotten."""
        texts = tuple(words if m == message_id else t for m, t in zip(self.message_ids, self.texts, strict=True))
        recalled = tuple(one for one in self.recalled if one.message_id != message_id)
        return dataclasses.replace(self, texts=texts, recalled=recalled)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The turn that `to_json` wrote."""
        plain = super(Turn, cls).from_json(text)
        try:
            stored: Sequence[Any] = plain.passages
            passages = tuple(Quoted(p["source"], p["text"], p.get("chunk_id", "")) for p in stored)
            stated: Sequence[Any] = plain.recalled
            recalled = tuple(Recalled(r["text"], r["message_id"], r["speaker"]) for r in stated)
        except (AttributeError, KeyError, TypeError) as error:
            raise UnreadableRecord(f"unreadable Turn: {error}") from error
        return cls(plain.role, tuple(plain.texts), plain.speaker, tuple(plain.message_ids), passages, recalled)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What has been said so far, oldest first; `cut` is how many of the stored turns were dropped before these."""

    id: str
    turns: tuple[Turn, ...]
    cut: int = 0

    def questions(self, most: int = 2) -> tuple[str, ...]:
        """The last questions, newest last: what a follow-up may lean on.

        What people said in a thread before the desk was called stands together as one of them.
        """
        found: list[str] = []
        for heard, turn in with_heard(self.turns):
            said = "\n".join(one.text for one in heard)
            found += filter(None, [said, turn.text if turn.role == "user" else ""])
        return tuple(found)[-most:]

    def meant_by(self, text: str) -> str:
        """What somebody asks by this, with what was asked before where it only points at that."""
        return "\n".join((*self.questions(), text)) if only_points(text) else text

    def quoted(self) -> frozenset[str]:
        """The ids of the chunks that its turns quote."""
        return frozenset(quoted.chunk_id for turn in self.turns for quoted in turn.passages)

    def read_for(self, message_id: str) -> frozenset[str]:
        """The ids of the chunks that the model may have read for its answer to this message."""
        ends = [at for at, turn in enumerate(self.turns) if message_id in turn.message_ids]
        until = self.turns[: ends[-1] + 1] if ends else ()
        return frozenset(quoted.chunk_id for turn in until for quoted in turn.passages)

    def without(self, gone: Set[str]) -> Conversation:
        """What comes after the last exchange that quotes one of these chunks; later answers may have built on it."""
        quoting = [at for at, turn in enumerate(self.turns) if any(q.chunk_id in gone for q in turn.passages)]
        if not quoting:
            return self
        end = len(self.turns)
        after = next((at for at in range(quoting[-1] + 1, end) if self.turns[at].role == "user"), end)
        return dataclasses.replace(self, turns=self.turns[after:], cut=self.cut + after)

    def answered_with(self, message_id: str) -> tuple[str, ...]:
        """The messages that one answer covers together with this one."""
        return next((turn.message_ids for turn in self.turns if message_id in turn.message_ids), ())


def with_heard(turns: Sequence[Turn]) -> Iterator[tuple[tuple[Turn, ...], Turn]]:
    """Each turn, and with the first one that was said to the desk what people had said in that thread before.

    That is the turns of people that another person's turn follows: nobody was asked, so nobody has answered.
    """
    heard: list[Turn] = []
    for turn, following in zip_longest(turns, turns[1:]):
        if turn.role == "user" and following is not None and following.role == "user":
            heard.append(turn)
        else:
            yield tuple(heard), turn
            heard = []


class Conversations:
    """Reads conversations, changes what is remembered of them, and erases from them."""

    def __init__(self, store: redis.Redis, life_s: int = LIFE_S) -> None:
        """`life_s`: how long it is remembered what a conversation begins with (`begin_with`)."""
        self._store = store
        self._life_s = life_s
        self._begin = script(store, "workers", "begin_with")
        self._erase = script(store, "workers", "erase")

    def load(self, conversation_id: str) -> Conversation:
        """The conversation; empty when nothing is remembered.

        A thread that a message of another conversation opened (a reply to a Slack DM) begins with that message's turns:
        a thread's conversation has the id of the message that opened it.
        """
        turns = self._turns(conversation_id)
        if not turns:
            with store_errors():
                origin = self._store.get(f"about:{conversation_id}")
            if origin and origin != conversation_id:
                turns = tuple(turn for turn in self._turns(text(origin)) if conversation_id in turn.message_ids)
        return Conversation(conversation_id, turns)

    def may_begin_with(self, conversation_id: str) -> bool:
        """Whether what was said in the conversation's thread before may be read in.

        Once only, and not after somebody had it begin anew, or had what they said there forgotten.
        """
        with store_errors():
            return not self._store.exists(*(f"{name}:{conversation_id}" for name in ("turns", "read", "epoch")))

    def begin_with(self, conversation_id: str, token: str, turns: Sequence[Turn], read_at: float) -> bool:
        """Have a conversation begin with these turns, for who holds its lock.

        False when it may not any more, or something was erased from it since `read_at` (seconds since the epoch).
        """
        c, life_s = conversation_id, self._life_s
        keys = [*(f"{name}:{c}" for name in ("lock", "turns", "read", "epoch")), "erased"]
        told = (turn.to_json() for turn in turns)
        with store_errors():
            return bool(self._begin(keys=keys, args=[token, c, read_at, life_s, REMEMBERED_S, *told]))

    def reset(self, conversation_id: str) -> None:
        """Begin anew: nothing said before is remembered, and an answer under way does not join what comes."""
        with store_errors(), self._store.pipeline() as pipeline:
            pipeline.delete(f"turns:{conversation_id}", *file_keys(conversation_id))
            pipeline.incr(f"epoch:{conversation_id}")
            pipeline.expire(f"epoch:{conversation_id}", REMEMBERED_S)
            pipeline.execute()

    def erase(self, conversation_id: str, *, speaker: str = "", message_ids: Sequence[str] = ()) -> int:
        """Erase what `speaker` (or anybody) said in `message_ids` (or ever), and the answers to it; how much went."""
        only = json.dumps(list(message_ids)) if message_ids else "[]"
        with store_errors():
            return int(self._erase(keys=_erased_keys(conversation_id), args=_what(conversation_id, speaker, only)))

    def end(self, conversation_ids: Sequence[str]) -> None:
        """Erase all of these, whoever spoke, and begin them anew: an answer under way joins nothing.

        One call, for which the store's disk is waited for once.
        """
        with store_errors(), self._store.pipeline(transaction=False) as step:
            for c in conversation_ids:
                self._erase(keys=_erased_keys(c), args=_what(c, "", "[]"), client=step)
                step.incr(f"epoch:{c}")
                step.expire(f"epoch:{c}", REMEMBERED_S)
            step.execute()

    def erased_since(self, at: float) -> list[str]:
        """The conversations from which something was erased since then (seconds since the epoch)."""
        with store_errors():
            names: list[Any] = self._store.zrange("erased", at, "+inf", byscore=True)
        return [text(name) for name in names]

    def reword(self, conversation_id: str, message_id: str, words: str) -> None:
        """Replace the words of one message among the remembered turns, if it is there."""
        key = f"turns:{conversation_id}"

        def replace(pipeline: redis.client.Pipeline) -> None:
            stored = pipeline.lrange(key, 0, -1)
            pipeline.multi()
            for at, turn in enumerate(Turn.from_json(line) for line in stored):
                if turn.role == "user" and turn != (reworded := turn.reworded(message_id, words)):
                    pipeline.lset(key, at, reworded.to_json())

        with store_errors():
            self._store.transaction(replace, key)
            self._store.zadd("erased", {conversation_id: time.time()})

    def _turns(self, conversation_id: str) -> tuple[Turn, ...]:
        with store_errors():
            return tuple(Turn.from_json(turn) for turn in self._store.lrange(f"turns:{conversation_id}", 0, -1))


def _erased_keys(c: str) -> list[str]:
    """What `workers/lua/erase.lua` looks at."""
    return [
        *(f"inbox:{c}", f"messages:{c}", f"turns:{c}", f"batch:{c}"),
        *("dead", "ready", f"attempts:{c}", f"over:{c}", f"letters:{c}", "controls", "erased"),
        *gap_keys(c),
        *file_keys(c),
    ]


def _what(conversation_id: str, speaker: str, only: str) -> list[str | float]:
    return [conversation_id, speaker, only, time.time(), ERASED_KNOWN_S, REMEMBERED_S]
