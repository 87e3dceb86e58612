"""What a vote's buttons carry, on every platform the same: which answer, how it was found, and what the button said.

And the words with which a person tells why an answer did not help.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

VOTE = "vote"
"""The name of the action."""

REASON = "vote_reason"
"""The name of the action that tells why somebody found an answer unhelpful."""

MAX_ID_CHARS = 300
MAX_REASON_CHARS = 500
_WRITTEN = re.compile(rf"(up|down|up\+train) (\S{{1,{MAX_ID_CHARS}}})")

_LABELS: Final[dict[str, dict[str, str]]] = {
    "ja": {"up": "役に立った", "train": "役に立った（この質問と答えを学習に使ってよい）", "down": "役に立たなかった"},
    "en": {
        "up": "Helpful",
        "train": "Helpful (this question and answer may be used for training)",
        "down": "Not helpful",
    },
}


@dataclass(frozen=True, slots=True)
class Ballot:
    """A button under an answer.

    Args:
        message_id: the message that the answer covers, the newest of them.
        may_train: the button said that the pair may be used to train a model: who presses it agrees.
    """

    message_id: str
    value: Literal["up", "down"]
    may_train: bool = False

    def to_text(self) -> str:
        """What the button carries."""
        return f"{self.value}{'+train' if self.may_train else ''} {self.message_id}"

    @classmethod
    def read(cls, text: str) -> Ballot | None:
        """The ballot that `to_text` wrote; None for any other text."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            return None
        return cls(found[2], "down" if found[1] == "down" else "up", found[1] == "up+train")

    def label(self, language: str) -> str:
        """What the button says in `ja` or `en`."""
        return _LABELS[language]["train" if self.may_train else self.value]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody found the answer to a message unhelpful, in at most MAX_REASON_CHARS of their own words."""

    message_id: str
    words: str

    def to_text(self) -> str:
        """What the action carries."""
        return f"{self.message_id} {self.words[:MAX_REASON_CHARS]}"

    @classmethod
    def read(cls, text: str) -> Reason | None:
        """The reason that `to_text` wrote; None for any other text."""
        message_id, _, words = text.partition(" ")
        return cls(message_id, words[:MAX_REASON_CHARS]) if message_id and words else None
