"""The answer cache: what the model wrote to a first question is given again to who asks the same and finds the same.

An answer that the model wrote depends on the question, on the passages that it read, and on the place's policy; so its
name is made of these. An answer is given again only to who has just searched with labels of his own and found the very
same chunks of the same generation, whose ids stand for their words and their audience: nothing reaches a place that may
not read what it was made from, and a person's own label keeps nobody from it.

No word of the question is kept, only a digest, but the answer may repeat some, to whoever has typed them again. So it
stands on the turn that asked: it is kept only while the conversation has that turn word for word, and goes with it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import redis

from bot.errors import StoreUnavailable
from bot.messages import Record, UnreadableRecord
from knowledge.documents import Passage
from knowledge.errors import NoIndex
from workers import metrics
from workers.conversation import Turn
from workers.erasure import rewrite_soon
from workers.kept_with_turn import KeptWithTurn
from workers.policy import Policy
from workers.prompt import as_cited, as_read

log = logging.getLogger(__name__)

MOST = 500
"""Beyond it the oldest goes. An erasure looks through all of them."""
MOST_QUESTION_CHARS = 500
"""A longer question is hardly asked twice in the same words."""
MOST_CHARS = 16_000
"""Of an answer with all that is kept beside it."""
_ENDS = " ?!.,。、"


def normalised(question: str) -> str:
    """The question without what makes no other one of it: width, case, blanks, and the marks at its end.

    Marks inside it stay: 1.5 is not 15, and C++ not C.
    """
    plain = unicodedata.normalize("NFKC", question).casefold()
    return re.sub(r"\s+", " ", plain).strip().rstrip(_ENDS)


def name_of(question: str, passages: Sequence[Passage], generation: str, policy: Policy) -> str:
    """What the answer to a first question is kept under; empty where none is to be."""
    asked = normalised(question)
    if not asked or len(asked) > MOST_QUESTION_CHARS or not passages:
        return ""
    read = [passage.chunk.id for passage in passages]
    parts = [asked, read, policy.voice(question).language, policy.model_dump_json()]
    return f"{generation}:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class CachedAnswer(Record):
    """An answer that may be given again.

    Args:
        shown: as people see it.
        said: as a conversation remembers it.
        read: the chunks that the model read, in its order.
        cited: those that the answer stands on.
        asked_by, message_ids: whose question it was.
    """

    shown: str
    said: str
    read: Sequence[str]
    cited: Sequence[str]
    asked_by: str
    message_ids: Sequence[str]

    def sources(self, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        """Those of the passages that it stands on, first used first."""
        return tuple(passage for chunk in self.cited for passage in passages if passage.chunk.id == chunk)

    def turns(self, asked: Turn, passages: Sequence[Passage]) -> tuple[Turn, Turn]:
        """What a conversation remembers when it is given again: the question over what was read, and the answer."""
        read = {p.chunk.id: as_read(p) for p in passages}
        cited = tuple(map(as_cited, self.sources(passages)))
        asked_over = replace(asked, passages=tuple(read[chunk] for chunk in self.read))
        return asked_over, Turn("assistant", (self.said,), "assistant", asked.message_ids, cited)

    @classmethod
    def of(cls, shown: str, asked: Turn, said: Turn) -> Self:
        """The answer as it was just delivered."""
        read = [quoted.chunk_id for quoted in asked.passages]
        cited = [quoted.chunk_id for quoted in said.passages]
        return cls(shown, said.text, read, cited, asked.speaker, asked.message_ids)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The answer that `to_json` wrote.

        Raises:
            UnreadableRecord
        """
        cached = super(CachedAnswer, cls).from_json(text)
        plain = {field.name: getattr(cached, field.name) for field in fields(cls)}
        for name, value in plain.items():
            lists = name in {"read", "cited", "message_ids"}
            words = value if lists and isinstance(value, list) else [value]
            if lists != isinstance(value, list) or not all(isinstance(word, str) for word in words):
                raise UnreadableRecord(f"unreadable CachedAnswer: {name}")
        return cached

    def concerns(self, person: str, message_ids: Sequence[str]) -> bool:
        """Whether the person asked it, or it was in one of the messages."""
        return person == self.asked_by or not set(message_ids).isdisjoint(self.message_ids)


class AnswerCache:
    """The cached answers in the store. Methods raise StoreUnavailable when it does not answer, where not said else."""

    def __init__(self, store: redis.Redis, hours: float = 0) -> None:
        """`hours`: how long an answer may be given again; 0: none is kept, and what was is only dropped."""
        self._store = store
        self._life_s = round(hours * 3600)
        self._kept = KeptWithTurn(store, CachedAnswer, key="answer", names="answers")

    def get(self, name: str, passages: Sequence[Passage]) -> CachedAnswer | None:
        """The answer of this name over these passages; None where there is none that can be read."""
        if not name or not self._life_s:
            return None
        known = self._kept.get(name)
        if known and not {passage.chunk.id for passage in passages}.issuperset([*known.read, *known.cited]):
            known = None
        metrics.ANSWER_CACHE.labels("hit" if known else "miss").inc()
        return known

    def keep(
        self, name: str, shown: str, turns: Sequence[Turn], *, conversation_id: str, newest: Callable[[], str]
    ) -> None:
        """Keep an answer that was delivered, if the conversation has the question's turn as it was asked.

        Raises nothing: an answer that is not kept is written again. `newest` names the newest generation. Whoever
        follows it drops what was kept before it changed; so the last look at it comes after the answer is kept.
        """
        asked, said = turns
        made = CachedAnswer.of(shown, asked, said)
        if not self._life_s or len(made.to_json()) > MOST_CHARS:
            return
        try:
            self._kept.keep(name, made, conversation_id=conversation_id, asked=asked, life_s=self._life_s, most=MOST)
            if not name.startswith(f"{newest()}:"):
                self._drop([name])
        except (NoIndex, StoreUnavailable) as error:
            log.warning("answer not cached", extra={"error": type(error).__name__})

    def erase(self, *, person: str = "", message_ids: Sequence[str] = ()) -> int:
        """Erase the answers to what the person asked, or to these messages; how many went.

        What cannot be read might be theirs, and goes too.
        """
        return self._drop(self._kept.concerning(person, message_ids))

    def disown(self, said: Turn) -> int:
        """Drop every answer that says what this turn says: somebody found it unhelpful; how many went."""
        return self._drop([name for name, known in self._kept.all() if known is not None and known.said == said.text])

    def clear(self) -> None:
        """Drop all of them: the documents are others, or it is another model that answers."""
        if self._drop([name for name, _ in self._kept.all()]):
            rewrite_soon(self._store, "answers")

    def _drop(self, names: Sequence[str]) -> int:
        gone = self._kept.drop(names)
        if names:
            log.info("cached answers dropped", extra={"answers": gone})
        return gone
