"""Telling: of what the model writes only the sentences that stand, in the voice of the place, shown as they come."""

from __future__ import annotations

from collections.abc import Sequence

from bot.platform import ReplyStream
from bot.sanitise import sanitise
from knowledge.documents import Passage
from workers import grounding
from workers.voice import Voice


class Telling:
    """One answer while it is told.

    Attributes:
        said: the sentences that stand, as the model wrote them.
        shown: the same as people see them; what was shown is never taken back.
        sources: the passages that they stand on, first used first.
        left_out: how many sentences stood on nothing, and are not among them.
    """

    def __init__(self, passages: Sequence[Passage], question: str, voice: Voice, reply: ReplyStream) -> None:
        """Without `passages` (a general answer) every sentence stands."""
        self.said = self.shown = ""
        self.sources: list[Passage] = []
        self.left_out = 0
        self.addresses = grounding.sources(passages)
        self._passages = passages
        self._question = question
        self._voice = voice
        self._reply = reply

    def is_foreign(self, sentence: str) -> bool:
        """Whether the sentence is in a language that nobody asked for."""
        return not self._voice.has(sentence, self._question, *self.addresses)

    def tell(self, sentence: str) -> None:
        """Show the sentence after those before it, if it stands."""
        passage = grounding.support(sentence, self._passages, self._question)
        if self._passages and passage is None:
            self.left_out += 1
            return
        if passage is not None and passage not in self.sources:
            self.sources.append(passage)
        self.said += sentence
        self.shown = sanitise(self._voice.say(self.said), self.addresses).strip()
        self._reply.update(self.shown)
