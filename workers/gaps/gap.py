"""A gap in the knowledge: a question that the documents did not answer, and the topic of those that ask the same."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Literal

from bot.messages import JSONObject, Record, UnreadableRecord
from bot.platform import Sender
from knowledge.documents import MEMBERS, PUBLIC
from workers.batch import Batch

GAPS = "gaps"


@dataclass(frozen=True, slots=True)
class Gap(Record):
    """One question that was not answered, and where to tell its asker when it is.

    Args:
        texts: what was asked, a message each; in parallel to `message_ids`.
        audience: the labels of those who read the place where it was asked, as they were then.
        at: seconds since the epoch.
        why: nothing was found for it, or its asker voted the answer down.
    """

    message_ids: tuple[str, ...]
    texts: tuple[str, ...]
    platform: str
    conversation_id: str
    user_id: str
    reply_to: JSONObject
    audience: tuple[str, ...]
    language: str
    at: float
    why: Literal["not found", "vote"] = "not found"

    @property
    def id(self) -> str:
        """The message that its answer replied to."""
        return self.message_ids[-1]

    @property
    def question(self) -> str:
        """All of it, in one line."""
        return " ".join(" ".join(self.texts).split())

    def reworded(self, message_id: str, words: str) -> Gap:
        """The gap with one of its messages saying something else."""
        texts = tuple(words if m == message_id else t for m, t in zip(self.message_ids, self.texts, strict=True))
        return dataclasses.replace(self, texts=texts)

    @classmethod
    def from_json(cls, text: str | bytes) -> Gap:
        """The gap that `to_json` wrote."""
        plain = super(Gap, cls).from_json(text)
        try:
            ids, texts, audience = tuple(plain.message_ids), tuple(plain.texts), tuple(plain.audience)
            return dataclasses.replace(plain, message_ids=ids, texts=texts, audience=audience)
        except TypeError as error:
            raise UnreadableRecord(f"unreadable Gap: {error}") from error


@dataclass(frozen=True, slots=True)
class Topic:
    """Gaps that ask the same, the newest first; `number` names them for the operator."""

    number: int
    gaps: tuple[Gap, ...]
    is_answered: bool = False

    @property
    def people(self) -> int:
        """How many people asked it."""
        return len({gap.user_id for gap in self.gaps})

    @property
    def questions(self) -> tuple[str, ...]:
        """Its wordings, each once, the newest first."""
        return tuple(dict.fromkeys(gap.question for gap in self.gaps))

    @property
    def audience(self) -> frozenset[str]:
        """Who may read the answer unless its author says otherwise: the fewest with whom all askers are reached."""
        return frozenset({MEMBERS if all(MEMBERS in gap.audience for gap in self.gaps) else PUBLIC})


def gap_of(batch: Batch, sender: Sender) -> Gap:
    """The batch as a question that the documents did not answer."""
    newest = batch.newest
    return Gap(
        message_ids=tuple(batch.ids),
        texts=tuple(message.text for message in batch.messages),
        platform=newest.platform,
        conversation_id=newest.conversation_id,
        user_id=newest.user_id,
        reply_to=newest.reply_to,
        audience=tuple(sorted(sender.audience(newest.reply_to))),
        language=batch.target.language,
        at=time.time(),
    )


def told_as(message_id: str) -> str:
    """The name under which the asker is told: what is shown is no second answer to the message itself."""
    return f"{message_id}:told"


def gap_keys(conversation_id: str) -> list[str]:
    """The keys of the store that a script needs which notes, drops or erases a gap of the conversation."""
    return [GAPS, f"gaps_in:{conversation_id}"]
