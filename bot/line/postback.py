"""What the bot's buttons carry: LINE hands a button's data back as it was, to us and to nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

MAX_DATA_CHARS = 300


@dataclass(frozen=True, slots=True)
class Postback:
    """A button of ours: what it does, in which conversation, for which question, and the language it is written in."""

    action: str
    conversation_id: str
    message_id: str
    language: str

    def data(self) -> str:
        """The postback as LINE's `data`."""
        return urlencode(
            {"do": self.action, "in": self.conversation_id, "for": self.message_id, "lang": self.language}, safe=":"
        )

    @classmethod
    def read(cls, data: str) -> Postback | None:
        """The postback that `data` wrote; None for any other text."""
        if len(data) > MAX_DATA_CHARS or not data.isascii():
            return None
        fields = {name: values[0] for name, values in parse_qs(data).items()}
        try:
            return cls(fields["do"], fields["in"], fields["for"], fields["lang"])
        except KeyError:
            return None
