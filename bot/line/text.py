"""Text as LINE shows it: no Markdown, sources as short lines, parts within LINE's limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.line.phrases import phrases
from bot.line.source import sources
from bot.line.spans import without_marks
from bot.messages import Citation
from bot.splitting import split_text
from bot.tables import with_lists_for_tables

MAX_TEXT_UNITS = 5_000
"""LINE: UTF-16 units in one text message."""

PART_UNITS = MAX_TEXT_UNITS - 100
"""Leaves room for the line that introduces a kept answer."""

MAX_TABLE_CHARS = 4 * MAX_TEXT_UNITS
"""A table's headings are said again for each row; beyond what one reply holds its rows stay as they are."""

_QUOTE = r"(?:[ \t]{0,3}>(?!=))"
_FENCE = re.compile(rf"(?P<before>{_QUOTE}*)\s*(?P<mark>`{{3,}}|~{{3,}})(?P<info>[^`]*)")
_UNDERLINE = re.compile(r"\s{0,3}={3,}\s*")
_LIST_MARK = r"\s*(?:・|\d{1,9}[.)]\s)\s*"
_LINES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$"), ""),  # a rule
    (re.compile(r"^\s{0,3}#{1,6}\s*$"), ""),
    (re.compile(r"^\s{0,3}(?:#{1,6}\s++|#{2,6}(?=[^\s#]))(|.*?\S)(?:\s++#++)?\s*+$"), r"■ \1"),
    (re.compile(r"^(\s*)[-*+]\s+"), r"\1・"),
    (re.compile(rf"^({_LIST_MARK})\[ \]\s+"), r"\1☐ "),
    (re.compile(rf"^({_LIST_MARK})\[[xX]\]\s+"), r"\1☑ "),
    (re.compile(rf"^({_LIST_MARK})#{{1,6}}\s+"), r"\1"),
    (re.compile(r"^(?=[\s:|-]*+$)[^-]*+-[^|]*+\|.*$"), ""),  # a rule of a table without rows
    (re.compile(r"^\s*+\|\s*+(|.*\S)\s*+\|\s*+$"), r"\1"),
)
"""Documents have lines of every kind: what repeats gives nothing back, so that none takes longer than it is long."""


def utf16_units(text: str) -> int:
    """The length as LINE counts it: an emoji is two."""
    return len(text) + sum(character > "\uffff" for character in text)


def plain(markdown: str) -> str:
    """Markdown as a person would type it on a phone: marks go, structure stays, code is left as it is."""
    blocks = (text if is_code else _prose(text) for is_code, text in _blocks(markdown.splitlines()))
    return "\n".join(blocks).strip()


def _blocks(lines: Sequence[str]) -> Iterator[tuple[bool, str]]:
    """The text in pieces, each with whether it is a block of code; fences are left out."""
    block: list[str] = []
    opened: re.Match[str] | None = None
    for line in lines:
        if opened is None and (fence := _FENCE.fullmatch(line)):
            yield from [(False, "\n".join(block))] if block else []
            block, opened = [], fence
        elif opened and _closes(opened, line):
            yield from [(True, "\n".join(block))] if block else []
            block, opened = [], None
        else:
            block.append(re.sub(rf"^{_QUOTE}[ \t]?", "", line) if opened and opened["before"] else line)
    yield from [(opened is not None, "\n".join(block))] if block else []


def _closes(opened: re.Match[str], line: str) -> bool:
    """Whether the line ends the block of code that the other fence opened: of its kind, and not shorter."""
    fence = _FENCE.fullmatch(line)
    return bool(fence and not fence["info"].strip() and fence["mark"].startswith(opened["mark"]))


def _prose(text: str) -> str:
    text = re.sub(rf"^{_QUOTE}+[ \t]?", "", text, flags=re.MULTILINE)
    lines: list[str] = []
    for line in with_lists_for_tables(text, MAX_TABLE_CHARS, borderless=True).split("\n"):
        if _UNDERLINE.fullmatch(line) and lines and lines[-1]:
            lines[-1] = f"■ {lines[-1]}"
        else:
            lines.append(_plain_line(line))
    return re.sub(r"\n{3,}", "\n\n", without_marks("\n".join(lines)))


def _plain_line(line: str) -> str:
    for pattern, replacement in _LINES:
        line = pattern.sub(replacement, line)
    return line.rstrip()


def source_lines(text: str, citations: Sequence[Citation], language: str) -> str:
    """One line for each cited document, numbered only where the text refers to numbers; empty without citations."""
    label = phrases(language).source
    return "\n".join(
        " ".join(filter(None, (f"{label}: {source.label}", source.address))) for source in sources(text, citations)
    )


def split(text: str) -> list[str]:
    """The text in parts that each fit a LINE message, room for an introduction left."""
    return split_text(text, PART_UNITS, utf16_units)
