"""Notes of what stands in a thread until its answer takes its place: a preview, or a message that grows.

Each is noted in the store before it is shown, and until the answer stands there: `slack_previews:{conversation}` has
for the message that is answered where its thread is, who asked, and what is known of the posts. So whoever goes on with
the answer finds them, who erases the question takes them away, and what nobody goes on with is found as well.
"""

from __future__ import annotations

import html
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

import redis

from bot.platform import Target
from bot.store import SEEN_S, store_errors, text

_ALL = "slack_previews"
_MARKS_OF_LINKS = ("[", "<", "http")
_MOST_LETTERS = 24


@dataclass(frozen=True, slots=True)
class Note:
    """What stands, or may stand, in the place of one answer.

    Args:
        where: of the question: `channel`, `thread_ts`, `ts`, `user`, `team`.
        ts: the preview's; empty while it is not known, None when there is none.
        stream: the same of a message that grows.
        opening: what that began with, as `opening_of` has it.
        at: when this was noted, seconds since the epoch.
    """

    where: Mapping[str, Any]
    ts: str | None = None
    stream: str | None = None
    opening: str = ""
    at: float = field(default_factory=time.time)

    @property
    def is_settled(self) -> bool:
        """Whether everything that may stand there is known."""
        return "" not in (self.ts, self.stream)

    @classmethod
    def about(cls, target: Target) -> Note:
        """That nothing stands there yet."""
        return cls({name: target.reply_to[name] for name in ("channel", "thread_ts", "ts", "user", "team")})


class Previews:
    """The notes of everything that may be visible and is no answer."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store

    def note(self, target: Target, note: Note) -> None:
        """Note what stands in the place of the answer to this message."""
        key = _key(target.conversation_id)
        with store_errors(), self._store.pipeline(transaction=True) as together:
            together.hset(key, target.message_id, json.dumps(asdict(note)))
            together.expire(key, SEEN_S)
            together.zadd(_ALL, {target.conversation_id: note.at})
            together.execute()

    def of(self, target: Target) -> Note | None:
        """What was noted for this message."""
        with store_errors():
            noted = self._store.hget(_key(target.conversation_id), target.message_id)
        return _read(text(noted)) if noted else None

    def drop(self, conversation_id: str, message_id: str) -> None:
        """Forget the note: nothing stands there, or something else."""
        with store_errors():
            self._store.hdel(_key(conversation_id), message_id)

    def in_conversation(self, conversation_id: str) -> dict[str, Note]:
        """All notes of a conversation, by the message that is answered."""
        with store_errors():
            noted: Any = self._store.hgetall(_key(conversation_id))
        return {message_id: _read(facts) for message_id, facts in noted.items()}

    def left(self, before: float) -> Iterator[tuple[str, str, Note]]:
        """Conversation, message and note of what was noted before then for a message that waits for no answer now."""
        with store_errors():
            conversations: Any = self._store.zrangebyscore(_ALL, "-inf", before)
        for conversation_id in conversations:
            noted = self.in_conversation(conversation_id)
            if not noted:
                self._forget(conversation_id)
            for message_id, note in noted.items():
                if not self._waits(conversation_id, message_id):
                    yield conversation_id, message_id, note

    def _waits(self, conversation_id: str, message_id: str) -> bool:
        with store_errors():
            return bool(self._store.hexists(f"messages:{conversation_id}", message_id))

    def _forget(self, conversation_id: str) -> None:
        """Look there no more, unless something was noted just now."""
        with store_errors():
            self._store.zrem(_ALL, conversation_id)
            if self._store.exists(_key(conversation_id)):
                self._store.zadd(_ALL, {conversation_id: time.time()})


def opening_of(written: str) -> str:
    """What a text is known by however Slack spells it: how many of its first letters, and their digest.

    Markup, white space and escapes are left out, and what follows a link, which Slack spells the other way round.
    """
    first = written
    for mark in _MARKS_OF_LINKS:
        first = first.split(mark, 1)[0]
    letters = _letters(first)[:_MOST_LETTERS]
    return f"{len(letters)}:{_digest(letters)}"


def begins_so(written: str, opening: str) -> bool:
    """Whether a text, in Slack's spelling, begins as the one that `opening` was made of."""
    length, _, digest = opening.partition(":")
    return length.isdigit() and int(length) > 0 and _digest(_letters(html.unescape(written))[: int(length)]) == digest


def _letters(written: str) -> str:
    return "".join(filter(str.isalnum, written))


def _digest(letters: str) -> str:
    return sha256(letters.encode()).hexdigest()[:16]


def _read(facts: str) -> Note:
    """A note; one that was written before messages could grow has a `where` and a `ts`."""
    stored = json.loads(facts)
    return Note(**{"at": 0.0} | stored)


def _key(conversation_id: str) -> str:
    return f"{_ALL}:{conversation_id}"
