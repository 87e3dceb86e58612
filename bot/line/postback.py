"""What the bot's buttons carry: LINE hands a button's data back as it was, to us and to nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

MAX_DATA_CHARS = 300


@dataclass(frozen=True, slots=True)
class Postback:
    """A button of ours.

    Args:
        action: what it does: `collect`, `vote`, `menu`.
        conversation_id, message_id: where it stands and which question it speaks of; empty on what everybody sees.
        language: what it is written in.
        value: what else it says, by its action.
    """

    action: str
    conversation_id: str
    message_id: str
    language: str
    value: str = ""

    def data(self) -> str:
        """The postback as LINE's `data`."""
        fields = {"do": self.action, "in": self.conversation_id, "for": self.message_id, "lang": self.language}
        told = {name: value for name, value in {**fields, "v": self.value}.items() if value}
        return urlencode(told, safe=":")

    @classmethod
    def read(cls, data: str) -> Postback | None:
        """The postback that `data` wrote; None for any other text."""
        if len(data) > MAX_DATA_CHARS or not data.isascii():
            return None
        fields = {name: values[0] for name, values in parse_qs(data).items()}
        try:
            return cls(fields["do"], fields.get("in", ""), fields.get("for", ""), fields["lang"], fields.get("v", ""))
        except KeyError:
            return None
