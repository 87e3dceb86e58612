"""Sentences: what a model's words are cut into as they come; each stands on a passage or is not shown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_SENTENCE_END = re.compile(r"(?<=[。！？])[」』）)\]]*|(?<=[!?])(?=\s)|(?<=[a-zA-Z0-9\])]\.)(?=\s)|\n")
_NUMBERING = re.compile(r"\s*(?:\d{1,3}[.)])?\s*")
_HEADINGS = re.compile(r"\s*\|[^\n]*\|[ \t]*\n")
_RULE = re.compile(r"[ \t]*\|[\s:|-]*(?:\n|\Z)")
"""Below a table's headings, whole or as far as it has come."""
_HEAD = re.compile(r"\s*\|[^\n]*\|[ \t]*\n[ \t]*\|[ \t:|-]*\n")
_ENDS = ("。", "！", "？", "!", "?", ".", "」", "』", "）", ")", "]")


def sentences(pieces: Iterable[str]) -> Iterator[str]:
    """Whole sentences as soon as they are whole, with the white space that follows them; the rest at the end."""
    rest = ""
    for piece in pieces:
        rest += piece
        while end := _end_of_sentence(rest):
            yield rest[:end]
            rest = rest[end:]
    if rest.strip():
        yield rest


def is_whole(sentence: str) -> bool:
    """Whether the sentence has its end."""
    return sentence.rstrip().endswith(_ENDS)


def is_numbering(sentence: str) -> bool:
    """Whether it is the number of a list's item that has no words."""
    return bool(_NUMBERING.fullmatch(sentence))


def _end_of_sentence(text: str) -> int:
    """Where the first sentence ends, when something follows it; 0 when it may go on.

    "1." alone begins one, and so does what stands above the first row of a table.
    """
    for end in map(re.Match.end, _SENTENCE_END.finditer(text)):
        if end < len(text) and not _NUMBERING.fullmatch(text, 0, end) and not _is_above_rows(text, end):
            return end
    return 0


def _is_above_rows(text: str, end: int) -> bool:
    """Whether the text up to there is a table's headings, a rule below them, or both: nothing that a passage bears."""
    if _HEADINGS.fullmatch(text, 0, end):
        return bool(_RULE.match(text, end))
    return bool(_HEAD.fullmatch(text, 0, end))
