"""The voice of one answer: in which language, in which tone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bot.words import language
from workers.language import is_in
from workers.tone import Tone


@dataclass(frozen=True, slots=True)
class Voice:
    """How the desk speaks to who asked.

    Args:
        language: `ja` or `en`.
        tone: how Japanese sentences end; English ones stay as they are.
    """

    language: str
    tone: Tone = field(default=Tone())

    def say(self, text: str) -> str:
        """The text in this voice's tone."""
        return self.tone.of(text) if self.language == "ja" else text

    def has(self, sentence: str, *seen: str) -> bool:
        """Whether the sentence is in this voice's language; names that stand in what was seen may be foreign."""
        return is_in(self.language, sentence, *seen)


def voice_for(question: str, wanted: Literal["question", "ja", "en"], ending: str) -> Voice:
    """The voice in which a question is answered: in its own language, unless another one is wanted."""
    return Voice(language(question) if wanted == "question" else wanted, Tone(ending))
