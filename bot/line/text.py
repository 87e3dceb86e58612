"""Text as LINE shows it: no Markdown, sources as short lines, parts within LINE's limit."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.line.phrases import phrases
from bot.messages import Citation
from bot.splitting import split_text

MAX_TEXT_UNITS = 5_000
"""LINE: UTF-16 units in one text message."""

PART_UNITS = MAX_TEXT_UNITS - 100
"""Leaves room for the line that introduces a kept answer."""

_FENCE = re.compile(r"^\s*(```|~~~)")
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*$")
_LINES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^\s{0,3}(?:[-*_]\s*){3,}$"), ""),  # a rule
    (re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$"), r"■ \1"),
    (re.compile(r"^(\s*)[-*+]\s+"), r"\1・"),
    (re.compile(r"^\s{0,3}>\s?"), ""),
    (re.compile(r"^\s*\|\s*(.*?)\s*\|\s*$"), r"\1"),
)
_SPANS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!?\[([^\]\n]+)\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)"), r"\1 (\2)"),
    (re.compile(r"<(https?://[^>\s]+)>"), r"\1"),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"(?<!\w)__(?=\S)(.+?)(?<=\S)__(?!\w)"), r"\1"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
    (re.compile(r"(?<![A-Za-z0-9*\\])\*(?=[^\s*])([^*\n]+?)(?<![\s\\])\*(?![A-Za-z0-9*])"), r"\1"),
    (re.compile(r"(?<![\w\\])_(?=\S)([^_\n]+?)(?<![\s\\])_(?!\w)"), r"\1"),
    (re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~>])"), r"\1"),
)
_CODE_SPAN = re.compile(r"(`+)(.+?)\1")


def utf16_units(text: str) -> int:
    """The length as LINE counts it: an emoji is two."""
    return len(text) + sum(character > "\uffff" for character in text)


def plain(markdown: str) -> str:
    """Markdown as a person would type it on a phone: marks go, structure stays, code is left as it is."""
    lines: list[str] = []
    in_code = False
    for line in markdown.splitlines():
        if _FENCE.match(line):
            in_code = not in_code
        elif in_code:
            lines.append(line)
        elif not _TABLE_RULE.match(line):
            lines.append(_plain_line(line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _plain_line(line: str) -> str:
    for pattern, replacement in _LINES:
        line = pattern.sub(replacement, line)
    # Every odd piece is (ticks, code): split keeps both groups, so three pieces make a round.
    pieces = _CODE_SPAN.split(line)
    for at in range(0, len(pieces), 3):
        pieces[at] = _plain_spans(pieces[at])
    del pieces[1::3]  # the ticks
    return "".join(pieces)


def _plain_spans(text: str) -> str:
    for pattern, replacement in _SPANS:
        text = pattern.sub(replacement, text)
    return text


def source_lines(text: str, citations: Sequence[Citation], language: str) -> str:
    """One line for each cited document, numbered only where the text refers to numbers; empty without citations."""
    label = phrases(language).source
    lines: dict[str, None] = {}
    for citation in citations:
        number = f"[{citation.number}] " if f"[{citation.number}]" in text else ""
        address = f" {citation.address}" if citation.address else ""
        lines[f"{label}: {number}{citation.title}{address}"] = None
    return "\n".join(lines)


def split(text: str) -> list[str]:
    """The text in parts that each fit a LINE message, room for an introduction left."""
    return split_text(text, PART_UNITS, utf16_units)
