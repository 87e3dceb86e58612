"""Cutting a text to a platform's limit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator


def split_text(text: str, limit: int, length: Callable[[str], int] = len) -> list[str]:
    """`text` in parts of at most `limit`, measured by `length` (characters, or UTF-16 units for LINE).

    Cut where a reader would: before a paragraph, else after a line, else after a sentence (。！？ or .!? and a space),
    else between characters, never inside an emoji sequence or before a combining mark. A code block that is cut is
    closed in its part and opened again in the next. Only white space at the cuts is lost; empty text gives no part.
    """
    parts: list[str] = []
    rest = text.strip()
    while rest:
        part, rest = _first_part(rest, limit, length)
        parts.append(part)
    return parts


def shortened(text: str, most_chars: int) -> str:
    """The text in at most so many characters, with “…” where something is left out; no emoji or accent is broken."""
    if len(text) <= most_chars:
        return text
    return text[: _longest_prefix(text, most_chars - 1, len)].rstrip() + "…"


_CUTS = ("\n\n", "\n", "。", "！", "？", ". ", "! ", "? ", " ")
_FENCE = "```"
_OPENING = re.compile(r"```[\w+#.-]{0,20}(?=\n|\Z)|```")


def _first_part(text: str, limit: int, length: Callable[[str], int]) -> tuple[str, str]:
    """The longest good first part, and the rest, beginning with the fence of a code block that goes on."""
    if length(text) <= limit:
        return text, ""
    if _FENCE in text:
        for part, rest in _cuts(text, limit - len("\n" + _FENCE), length):
            closed, goes_on = _with_fences(part, rest)
            if length(closed) <= limit and len(goes_on) < len(text):  # else there is no room for fences
                return closed, goes_on
    return next(_cuts(text, limit, length))


def _with_fences(part: str, rest: str) -> tuple[str, str]:
    """Both with the code block closed that is cut between them; a block that has only begun goes to the rest whole."""
    if part.count(_FENCE) % 2 == 0:
        return part, rest
    begins = part.rindex(_FENCE)
    opening = _OPENING.match(part, begins)
    if opening and opening.end() == len(part) and part[:begins].strip():
        return part[:begins].rstrip(), f"{opening[0]}\n{rest}"
    closed = f"{part}\n{_FENCE}"
    if rest.startswith(_FENCE):
        return closed, rest.removeprefix(_FENCE).lstrip()
    return closed, f"{opening[0] if opening else _FENCE}\n{rest}"


def _cuts(text: str, limit: int, length: Callable[[str], int]) -> Iterator[tuple[str, str]]:
    """Beginnings within `limit` with what follows them, best first; one in the first third would waste the part."""
    end = _longest_prefix(text, max(limit, 1), length)
    for mark in _CUTS:
        at = text.rfind(mark, end // 3, end)
        if at >= 0 and not _joins(text, at + len(mark)):
            yield text[: at + len(mark)].rstrip(), text[at + len(mark) :].lstrip()
    yield text[:end].rstrip(), text[end:].lstrip()


def _longest_prefix(text: str, limit: int, length: Callable[[str], int]) -> int:
    """The end of the longest prefix within `limit` that breaks no character, or only one that is longer itself."""
    low, high = 1, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if length(text[:middle]) <= limit else (low, middle - 1)
    whole = low
    while whole and _joins(text, whole):
        whole -= 1
    return whole or low


def _joins(text: str, at: int) -> bool:
    """Whether what a reader takes for one character goes on at `at` (the common cases of Unicode's annex 29).

    A run of backticks counts as one: it is a mark of Markdown.
    """
    if at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    return (
        unicodedata.category(after).startswith("M")
        or after in "\u200c\u200d\uff9e\uff9f"  # joiners, the sound marks of half-width katakana
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= after <= "\U000e007f"  # the tags of regional flags
        or (_is_flag_half(after) and _flag_halves_before(text, at) % 2 == 1)
        or before == after == "`"
    )


def _flag_halves_before(text: str, at: int) -> int:
    """How many halves of flags stand in a row before `at`: two make one, counted from the first."""
    first = at
    while first and _is_flag_half(text[first - 1]):
        first -= 1
    return at - first


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
