"""Provenance: what an answer was made from, and how, kept for its asker as long as the documents are as they were.

No word of a question, an answer or a passage is in it, but titles and headings are, which are the documents' words.
So a record goes with its message, with its asker, and when the newest index has not all of its passages any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import redis

from bot.errors import StoreUnavailable
from bot.messages import Citation, Record, UnreadableRecord
from knowledge.errors import NoIndex
from workers.conversation import Turn
from workers.erasure import rewrite_soon
from workers.kept_with_turn import KeptWithTurn

log = logging.getLogger(__name__)

LIFE_S = 7 * 24 * 3600
"""As long as the page of a cited passage."""
MOST = 2_000
"""Beyond it the oldest goes. An erasure looks through all of them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A passage that was found for a question.

    Args:
        title: of its document; empty for a file that was shown in the conversation: its name goes with its message.
        score: as the search gave it; comparable within one answer.
        uri, page: as in `Citation`, where it may be read by who may read the answer.
        audience: the labels of who may read it; none for what is in no index but was shown in the conversation.
        is_cited: the answer stands on it.
    """

    chunk_id: str
    title: str
    heading: str
    score: float
    uri: str
    page: str
    audience: tuple[str, ...]
    is_cited: bool

    def citation(self, number: int) -> Citation:
        """It as a source, without its words."""
        return Citation(number, self.title, self.uri, self.heading, "", self.page)


@dataclass(frozen=True, slots=True)
class Provenance(Record):
    """What one answer was made from.

    Args:
        message_ids: the messages that it covers; it is kept under the newest.
        user_id: who asked.
        seen: the passages that were found, best first; those below the floor where there were no others.
        generation: of the index.
        model: the one that wrote it; empty where none did.
        is_cached: it was written for an earlier question.
        left_out: sentences that stood on no passage.
        hand_off: the channel whose people may be asked, as the place's policy had it; empty: none.
    """

    message_ids: tuple[str, ...]
    conversation_id: str
    user_id: str
    seen: tuple[Seen, ...]
    generation: str
    model: str = ""
    is_cached: bool = False
    left_out: int = 0
    searching_ms: int = 0
    waiting_ms: int = 0
    writing_ms: int = 0
    hand_off: str = ""

    @property
    def chunk_ids(self) -> frozenset[str]:
        """Of the passages that an index has."""
        return frozenset(one.chunk_id for one in self.seen if one.audience)

    def sources(self) -> tuple[Citation, ...]:
        """What the answer cites, numbered from 1."""
        cited = [one for one in self.seen if one.is_cited]
        return tuple(one.citation(number) for number, one in enumerate(cited, 1))

    def concerns(self, person: str, message_ids: Sequence[str]) -> bool:
        """Whether the person asked, or it is about one of the messages."""
        return person == self.user_id or not set(message_ids).isdisjoint(self.message_ids)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The record that `to_json` wrote."""
        plain = super(Provenance, cls).from_json(text)
        try:
            stored: Sequence[Mapping[str, Any]] = plain.seen  # type: ignore[assignment]
            seen = tuple(Seen(**{**one, "audience": tuple(one["audience"])}) for one in stored)
            return replace(plain, message_ids=tuple(plain.message_ids), seen=seen)
        except (AttributeError, KeyError, TypeError) as error:
            raise UnreadableRecord(f"unreadable Provenance: {error}") from error


class Provenances:
    """The records in the store. Methods raise StoreUnavailable when it does not answer, where not said else."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._kept = KeptWithTurn(store, Provenance, key="provenance", names="provenances")

    def keep(self, record: Provenance, asked: Turn, known: Callable[[Collection[str]], Collection[str]]) -> None:
        """Keep it, if the conversation has the question's turn as it was asked.

        Raises nothing: an answer stands without. Whoever follows the index drops what was kept before it changed; so
        the last look at it comes after the record is kept.

        Args:
            known: those of some chunks' ids that are in the newest index.
        """
        name = record.message_ids[-1]
        try:
            self._kept.keep(name, record, conversation_id=record.conversation_id, asked=asked, life_s=LIFE_S, most=MOST)
            if not record.chunk_ids <= frozenset(known(record.chunk_ids)):
                self._kept.drop([name])
        except (NoIndex, StoreUnavailable) as error:
            log.warning("provenance not kept", extra={"error": type(error).__name__})

    def get(self, message_id: str, conversation_id: str) -> Provenance | None:
        """Of the answer to this message; None when there is none any more, or not in this conversation."""
        record = self._kept.get(message_id)
        return record if record and record.conversation_id == conversation_id else None

    def erase(self, *, person: str = "", message_ids: Sequence[str] = ()) -> int:
        """Erase those of what the person asked, or of these messages; how many went.

        What cannot be read might be theirs, and goes too.
        """
        return self._kept.drop(self._kept.concerning(person, message_ids))

    def leave(self, is_left: Callable[[str], bool]) -> None:
        """Drop those of the conversations that are left, and what cannot be read."""
        self._kept.drop([name for name, record in self._kept.all() if not record or is_left(record.conversation_id)])

    def refresh(self, known: Callable[[Collection[str]], Collection[str]]) -> None:
        """Drop those of passages that the newest index has not, and with them what they tell of a document."""
        records = self._kept.all()
        there = frozenset(known({chunk for _, record in records if record for chunk in record.chunk_ids}))
        if self._kept.drop([name for name, record in records if record is None or not record.chunk_ids <= there]):
            rewrite_soon(self._store, "provenances")
