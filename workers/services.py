"""What the work is done with: built once a process in the composition root, handed in everywhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import redis

from bot.access import Access
from bot.capabilities import Outcome
from bot.inbox import Hints
from bot.platform import Sender
from knowledge.documents import Chunk, Document, Passage
from workers.answer_cache import AnswerCache
from workers.batches import Batches
from workers.citing import Citing
from workers.conversation import Conversations
from workers.expecting import Tempo
from workers.gate import Gate
from workers.generation import Generator
from workers.interrupts import Interrupts
from workers.policy import Policies
from workers.provenance import Provenances

if TYPE_CHECKING:  # the clerk searches nothing, and has no room for what does
    from knowledge.embedding import Vectors
    from knowledge.own import OwnChunks, Split
    from workers.files.kept import Files


class Found(Protocol):
    """What a search in one generation gave.

    The passages above the floor, the nearest below it, and which quoted chunks are gone.
    """

    @property
    def passages(self) -> tuple[Passage, ...]: ...

    @property
    def nearest(self) -> tuple[Passage, ...]: ...

    @property
    def gone(self) -> frozenset[str]: ...

    @property
    def generation(self) -> str: ...


class Retriever(Protocol):
    """Finds passages; safe to call from many threads."""

    def retrieve(
        self,
        query: str,
        *,
        audience: frozenset[str],
        sources: Collection[str] = (),
        context: Sequence[str] = (),
        own: OwnChunks,
        quoted: Collection[str] = (),
        limit: int = 3,
    ) -> Found: ...

    def split(self, document: Document, pages: Sequence[int], most: int) -> Split: ...

    def embed(self, chunks: Sequence[Chunk]) -> Vectors: ...

    @property
    def fingerprint(self) -> str: ...

    def around(self, chunk_id: str, audience: frozenset[str]) -> tuple[Chunk, ...]: ...

    def known(self, chunk_ids: Collection[str]) -> frozenset[str]: ...

    def follow(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that answering needs."""

    batches: Batches
    conversations: Conversations
    files: Files
    interrupts: Interrupts
    hints: Hints
    senders: Mapping[str, Sender]
    policy: Policies
    gate: Gate
    retriever: Retriever
    citing: Citing
    answers: AnswerCache
    provenances: Provenances
    generator: Generator
    model: str
    answer_tokens: int
    answer_deadline_s: float
    tempo: Tempo = field(default_factory=Tempo)


class Collector(Protocol):
    """Hands out an answer that was kept, on a fresh token."""

    def collect(
        self, reply_to: Mapping[str, Any], conversation_id: str, language: str, *, asked_for: Outcome
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Clerk:
    """Everything that acting on orders, edits, deletions and votes needs."""

    store: redis.Redis
    conversations: Conversations
    interrupts: Interrupts
    hints: Hints
    senders: Mapping[str, Sender]
    access: Access
    policy: Policies
    collector: Collector | None
