"""Answers that could not be shown yet: kept in the store until the conversation's next reply token carries them.

Keys: `kept:{conversation}` (list), `carrying:{conversation}` (the reply token that is carrying them just now),
`keeping` (sorted set: the conversations that may have some, and until when).
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from linebot.v3.messaging import FlexMessage, TextMessage

from bot.line.phrases import Introduction, phrases
from bot.messages import JSONObject, Record, UnreadableRecord
from bot.store import script, store_errors, text

log = logging.getLogger(__name__)

_WHERE = "keeping"
KEPT_S = 7 * 24 * 3600
ROOM = 20
"""Answers kept for one conversation; the oldest go first."""

CARRYING_S = 30
"""Longer than two calls to LINE may take."""


@dataclass(frozen=True, slots=True)
class KeptAnswer(Record):
    """What of one answer is still to be shown, in parts that each fit a message, and how it is introduced.

    `message_id` and `user_id` say whose question it answers, so that it goes when they are erased.

    Args:
        card: the Flex message below the last part.
        sources: what the card says, in words, for when LINE does not take the card.
        quote_token: what quotes the question.
    """

    message_id: str
    user_id: str
    language: str
    parts: Sequence[str]
    introduction: Introduction
    card: JSONObject | None = None
    sources: str = ""
    quote_token: str = ""

    def to_json(self) -> str:
        """As one line of JSON, without what it does not have: an older version wrote the same then."""
        written = json.loads(super(KeptAnswer, self).to_json())
        later = {"card", "sources", "quote_token"}
        told = {name: value for name, value in written.items() if value or name not in later}
        return json.dumps(told, ensure_ascii=False)

    def messages(self) -> list[Any]:
        """What LINE shows of it, in its models: the parts, introduced and quoting the question, and the card."""
        return [*self._texts(self.quote_token), *([FlexMessage.from_dict(self.card)] if self.card else [])]

    def plain_messages(self) -> list[Any]:
        """The same in words alone; one message for each of `messages()`."""
        last = [TextMessage(text=self.sources or self.card["altText"])] if self.card else []
        return [*self._texts(), *last]

    def after(self, count: int) -> KeptAnswer:
        """What is left when so many of its messages have been shown."""
        return dataclasses.replace(self, parts=self.parts[count:], introduction="rest")

    @property
    def size(self) -> int:
        """How many messages it takes."""
        return len(self.parts) + bool(self.card)

    @property
    def withdrawn(self) -> KeptAnswer:
        """The same in words that say it holds no more."""
        return dataclasses.replace(self, parts=[phrases(self.language).withdrawn], card=None, sources="")

    def introduced(self, introduction: Introduction) -> KeptAnswer:
        return dataclasses.replace(self, introduction=introduction)

    def _texts(self, quote_token: str = "") -> list[Any]:
        introduction = phrases(self.language).introductions[self.introduction]
        texts = [f"{introduction}\n\n{part}" if introduction and not at else part for at, part in enumerate(self.parts)]
        return [
            TextMessage(text=text, quoteToken=quote_token if quote_token and not at else None)
            for at, text in enumerate(texts)
        ]


@dataclass(frozen=True, slots=True)
class Filled:
    """As much of some answers as one call carries.

    Args:
        messages: what it shows.
        plain: the same in words alone.
        left: what is left of each answer; None where nothing is.
    """

    messages: list[Any]
    plain: list[Any]
    left: list[KeptAnswer | None]


def fill(answers: Sequence[KeptAnswer], room: int) -> Filled:
    """As many messages as there is room for, in order."""
    filled = Filled([], [], [])
    for answer in answers:
        free = room - len(filled.messages)
        filled.messages.extend(answer.messages()[:free])
        filled.plain.extend(answer.plain_messages()[:free])
        if free <= 0:
            filled.left.append(answer.introduced(answer.introduction or "late"))
        else:
            filled.left.append(answer.after(free) if answer.size > free else None)
    return filled


class KeptAnswers:
    """The kept answers of all conversations. Every method raises StoreUnavailable when the store is down."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._keep = script(store, "bot", "keep_answer")
        self._exchange = script(store, "bot", "exchange_answers")

    def keep(self, conversation_id: str, answer: KeptAnswer, name: str) -> None:
        """Keep one answer as the newest, once for each `name`, though it is handed over meanwhile."""
        with store_errors():
            self._keep(
                keys=[f"kept:{conversation_id}", f"kept_once:{name}", _WHERE],
                args=[answer.to_json(), conversation_id, ROOM, KEPT_S, time.time()],
            )

    def drop(self, conversation_id: str, meant: Callable[[KeptAnswer], bool]) -> None:
        """Erase the kept answers that are meant."""
        key = f"kept:{conversation_id}"
        with store_errors():
            for stored in self._store.lrange(key, 0, -1):
                if any(map(meant, _readable(stored))):
                    self._store.lrem(key, 0, text(stored))

    def all(self) -> Iterator[tuple[str, KeptAnswer]]:
        """Every kept answer with its conversation."""
        with store_errors():
            conversations: Any = self._store.zrange(_WHERE, 0, -1)
        for where in map(text, conversations):
            yield from ((where, kept) for kept in self.of(where))

    def of(self, conversation_id: str) -> list[KeptAnswer]:
        """A conversation's kept answers, oldest first."""
        with store_errors():
            kept: Any = self._store.lrange(f"kept:{conversation_id}", 0, -1)
        return [answer for stored in kept for answer in _readable(stored)]

    def withdraw(self, conversation_id: str, answer: KeptAnswer) -> None:
        """Have the answer say in its place that it holds no more; nothing, when it was shown meanwhile."""
        key = f"kept:{conversation_id}"
        with store_errors(), self._store.pipeline(transaction=True) as together:
            together.linsert(key, "AFTER", answer.to_json(), answer.withdrawn.to_json())
            together.lrem(key, 0, answer.to_json())
            together.execute()

    def claim(self, conversation_id: str, token: str) -> list[KeptAnswer]:
        """The kept answers, oldest first, for this reply token to carry; none while another token carries them."""
        key = f"carrying:{conversation_id}"
        with store_errors():
            claimed = self._store.set(key, token, nx=True, ex=CARRYING_S)
            if not claimed and self._store.get(key) != token:
                return []
        return self.of(conversation_id)

    def release(self, conversation_id: str, token: str) -> None:
        """Let another token carry them, if this one held the claim."""
        key = f"carrying:{conversation_id}"
        with store_errors():
            if self._store.get(key) == token:
                self._store.delete(key)

    def exchange(
        self,
        conversation_id: str,
        carried: Sequence[tuple[KeptAnswer, KeptAnswer | None]],
        own: Sequence[KeptAnswer] = (),
        gone: Sequence[KeptAnswer] = (),
    ) -> None:
        """Put what is left of the carried answers in their place, in front of what came meanwhile; safe to repeat.

        Of one that was erased or withdrawn meanwhile nothing is put back.

        Args:
            own: what is left of others, to be kept behind these.
            gone: what is not to be kept any more, whoever kept it.
        """
        changed = [(was.to_json(), left.to_json() if left else "") for was, left in carried]
        settled = [*(was.withdrawn for was, _ in carried), *gone]
        changes = {
            "changed": changed,
            "gone": [answer.to_json() for answer in settled],
            "own": [answer.to_json() for answer in own],
        }
        with store_errors():
            self._exchange(
                keys=[f"kept:{conversation_id}", _WHERE],
                args=[conversation_id, KEPT_S, time.time() + KEPT_S, json.dumps(changes, ensure_ascii=False)],
            )


def _readable(text: str | bytes) -> list[KeptAnswer]:
    try:
        return [KeptAnswer.from_json(text)]
    except UnreadableRecord:
        log.warning("kept answer unreadable", extra={"platform": "line"})
        return []
