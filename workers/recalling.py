"""What is kept of turns that a long conversation has to let go: what the person stated, not what was asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from workers import smalltalk
from workers.conversation import Recalled, Turn
from workers.sentences import sentences

MOST_CHARS = 300
"""A second of a small model's reading; the newest statements are kept."""
_LONGEST_CHARS = 120

_JAPANESE_STATEMENT = re.compile(r"(?:です|ます|でした|ました|ません|である|だった|だ|ている)(?:ね|よ)?[。.!]*$")
_ENGLISH_STATEMENT = re.compile(r"\b(?:i|i'm|i've|my|mine|we|we're|our|me)\b")
_ASKS = re.compile(
    r"[?？]|か[。.]?$|(?:教えて|ください|下さい|お願い|ほしい|欲しい|たいです)"
    r"|^(?:what|when|where|who|why|how|which|can|could|may|do|does|did|is|are|will|would|should|please|tell|show|give)\b"
)


def recalled(turns: Sequence[Turn]) -> tuple[Recalled, ...]:
    """The statements in these turns, oldest first; of more than MOST_CHARS the newest, each once."""
    kept: dict[str, Recalled] = {}
    room = MOST_CHARS
    for one in reversed(list(_stated(turns))):
        room -= 0 if one.text in kept else len(one.text)
        if room < 0:
            break
        kept.setdefault(one.text, one)
    return tuple(reversed(kept.values()))


def statements(text: str) -> list[str]:
    """The sentences by which the writer says something of their own matters: no question, request or greeting."""
    parts = (part.strip() for part in sentences([text]))
    return [part for part in parts if part and len(part) <= _LONGEST_CHARS and _is_statement(part)]


def _stated(turns: Iterable[Turn]) -> Iterable[Recalled]:
    for turn in turns:
        if turn.role == "user":
            yield from turn.recalled
            for message_id, text in zip(turn.message_ids, turn.texts, strict=True):
                yield from (Recalled(one, message_id, turn.speaker) for one in statements(text))


def _is_statement(sentence: str) -> bool:
    plain = unicodedata.normalize("NFKC", sentence).casefold()
    if _ASKS.search(plain) or smalltalk.kind(sentence):
        return False
    return bool(_JAPANESE_STATEMENT.search(plain) or _ENGLISH_STATEMENT.search(plain))
