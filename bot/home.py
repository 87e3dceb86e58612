"""The page that a person has of the bot alone (Slack's App Home), as values; a platform draws it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

OPENED: Final = "home"
"""The order that an opened page is."""
GAP_OPENED, GAP_ANSWERED, GAP_DROPPED = "gap_open", "gap_answer", "gap_drop"
"""Names of actions: an administrator wants to answer a gap, has written the answer, drops the gap."""

MAX_QUESTION_CHARS = 200
"""Of the question that an answer stands under."""
MAX_ANSWER_CHARS = 3_000
"""Of an answer that is written in a dialog (docs.slack.dev, Block Kit, plain-text input)."""


@dataclass(frozen=True, slots=True)
class PageGap:
    """What was asked and the documents did not answer: its number, what is told of it, and some of its wordings."""

    number: int
    told: str
    wordings: tuple[str, ...]
    is_answered: bool


@dataclass(frozen=True, slots=True)
class AdminPart:
    """What administrators see besides: the index, and the gaps, of which `more` are not named and some not sorted."""

    status: str
    gaps: tuple[PageGap, ...]
    more: int
    unsorted: int


@dataclass(frozen=True, slots=True)
class Page:
    """A person's page, in `language` (`ja` or `en`): what the bot can do, questions as examples."""

    language: str
    about: str
    examples: tuple[str, ...]
    admin: AdminPart | None


@dataclass(frozen=True, slots=True)
class GapAnswer:
    """An answer to the gap of this number, and the question that it stands under in the documents."""

    number: int
    question: str
    answer: str

    def to_text(self) -> str:
        """What the action carries."""
        return json.dumps([self.number, self.question, self.answer], ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> GapAnswer | None:
        """The answer that `to_text` wrote; None for any other text."""
        try:
            value: Any = json.loads(text)
        except ValueError:
            return None
        match value:
            case [int(number), str(question), str(answer)]:
                return cls(number, question, answer)
            case _:
                return None
