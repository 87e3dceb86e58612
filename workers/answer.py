"""The answer as it will be delivered, and what its conversation remembers of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.messages import VERSION, Citation, Reply, UnreadableRecord
from knowledge.documents import Passage
from workers import extracting
from workers.citing import shown_title
from workers.conversation import Turn
from workers.inquiry import Inquiry
from workers.phrases import phrase
from workers.prompt import Draft, as_cited
from workers.provenance import Provenance
from workers.writing import Written

ASSISTANT: Final = "assistant"


@dataclass(frozen=True, slots=True)
class Answer:
    """What will be delivered, what the conversation remembers of it, and how many of its oldest turns went for it.

    It `erases` when some of them went since they quote what may not be read there any more. `not_found` says that the
    documents do not hold what was asked. One that is `lasting` may be given again; it then is `cached_as` a name.
    `is_cached` says that it is such a one; `provenance` what it was made from, where that is remembered.
    """

    reply: Reply
    turns: tuple[Turn, ...] = ()
    cut: int = 0
    erases: bool = False
    not_found: bool = False
    lasting: bool = False
    cached_as: str = ""
    is_cached: bool = False
    provenance: Provenance | None = None

    def to_json(self) -> str:
        """The answer as one line of JSON, without what its turns recall of messages that may be erased meanwhile."""
        turns = [replace(turn, recalled=()).to_json() for turn in self.turns]
        facts = {"turns": turns, "cut": self.cut, "erases": self.erases, "not_found": self.not_found}
        facts |= {"cached_as": self.cached_as, "is_cached": self.is_cached}
        facts |= {"provenance": self.provenance.to_json()} if self.provenance else {}
        return json.dumps({"v": VERSION, "reply": self.reply.to_json(), **facts})

    @classmethod
    def from_json(cls, text: str) -> Answer:
        """The answer that `to_json` wrote; before it had a version it was what version 1 is.

        Raises:
            UnreadableRecord: a newer version wrote it.
        """
        try:
            stored = json.loads(text)
            if stored.get("v", 1) > VERSION:
                raise UnreadableRecord(f"not an Answer of version {VERSION} or older")
            turns = tuple(Turn.from_json(turn) for turn in stored["turns"])
            facts = (stored["cut"], stored.get("erases", False), stored.get("not_found", False))
            cached = {"cached_as": stored.get("cached_as", ""), "is_cached": stored.get("is_cached", False)}
            made_from = Provenance.from_json(stored["provenance"]) if "provenance" in stored else None
            return cls(Reply.from_json(stored["reply"]), turns, *facts, **cached, provenance=made_from)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnreadableRecord(f"unreadable Answer: {error}") from error


def greeted(greeting: str, inquiry: Inquiry) -> Answer:
    """A greeting or thanks returned; nothing of it is remembered."""
    return Answer(Reply(inquiry.voice.say(phrase(greeting, inquiry.voice.language))))


def stopped(inquiry: Inquiry) -> Answer:
    """Says that it was stopped before it was searched for; nothing of it is remembered."""
    return Answer(Reply(phrase("stopped", inquiry.asked_in)))


def stopped_waiting(inquiry: Inquiry, cut: int) -> Answer:
    """Says that it was stopped before the model began; remembered as one that was stopped while it wrote."""
    text = phrase("stopped", inquiry.voice.language)
    said = Turn(ASSISTANT, (text,), ASSISTANT, tuple(inquiry.batch.ids))
    return Answer(Reply(text), (inquiry.turn, said), cut)


def not_found(inquiry: Inquiry, nearest: Sequence[Passage], cut: int = 0) -> Answer:
    """Says that the documents do not hold it, what stands closest, and who to ask; no sources."""
    voice, contact = inquiry.voice, inquiry.policy.contact
    language = voice.language
    lines = [voice.say(phrase("not_found", language))]
    if titles := list(dict.fromkeys(shown_title(passage.chunk) for passage in nearest)):
        lines.append(phrase("nearest", language, titles="、".join(titles) if language == "ja" else ", ".join(titles)))
    if contact:
        lines.append(phrase("contact", language, contact=contact))
    said = Turn(ASSISTANT, (lines[0],), ASSISTANT, tuple(inquiry.batch.ids))
    return Answer(Reply("\n".join(lines)), (inquiry.turn, said), cut, not_found=True)


def without_model(inquiry: Inquiry, passages: Sequence[Passage], best: tuple[Citation, ...], cut: int) -> Answer:
    """The best passage's own words as the answer; an apology where there is none (a general answer was wanted)."""
    voice = inquiry.voice
    if not passages:
        return Answer(Reply(voice.say(phrase("too_slow", voice.language))))
    reply = extracting.extracted("without_model", inquiry.text, voice, passage=passages[0], citations=best)
    return Answer(reply, extracting.turns(inquiry.turn, passages[0]), cut)


def composed(inquiry: Inquiry, drafted: Draft, written: Written, sources: tuple[Citation, ...]) -> Answer:
    """What was written with its sources and the two turns to remember; else that nothing was found."""
    if not written.text:
        return not_found(inquiry, drafted.prompt.passages, drafted.cut)
    cited = tuple(map(as_cited, written.sources))
    said = Turn(ASSISTANT, (written.text,), ASSISTANT, tuple(inquiry.batch.ids), cited)
    reply = Reply(_with_evidence(written, inquiry.voice.language), sources)
    return Answer(reply, (drafted.turn, said), drafted.cut, lasting=written.lasting)


def _with_evidence(written: Written, language: str) -> str:
    """The text and, below it, the sentence that it stands on; the model reads that one in its passage."""
    if not written.evidence:
        return written.text
    return f"{written.text}\n{phrase('evidence', language, words=written.evidence)}"
