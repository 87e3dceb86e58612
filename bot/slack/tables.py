"""Tables for Slack, whose `markdown` block draws none: each row becomes a list item that names its columns. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MAX_CHARS = 12_000
"""What all `markdown` blocks of a message take together (docs.slack.dev, markdown block)."""

_FENCE = re.compile(r"\s*(```|~~~)")
_ROW = re.compile(r"\s*\|.*\|\s*")
_RULE = re.compile(r"\s*\|(?:\s*:?-+:?\s*\|)+\s*")
_BAR = re.compile(r"(?<!\\)\|")


def with_lists_for_tables(markdown: str) -> str:
    """The text with every table (a row of headings, a rule, rows) as a list; as it was where that would be too long."""
    listed = "\n".join(_lines(markdown.split("\n")))
    return listed if len(listed) <= MAX_CHARS else markdown


def _lines(lines: Sequence[str]) -> Iterator[str]:
    at, in_code = 0, False
    while at < len(lines):
        in_code ^= bool(_FENCE.match(lines[at]))
        rows = [] if in_code else _table_at(lines, at)
        if rows:
            headings = _cells(rows[0])
            yield from (_item(headings, _cells(row)) for row in rows[2:])
            at += len(rows)
        else:
            yield lines[at]
            at += 1


def _table_at(lines: Sequence[str], at: int) -> Sequence[str]:
    """The lines of the table that begins there; none when none does."""
    if at + 2 >= len(lines) or not _ROW.fullmatch(lines[at]) or not _RULE.fullmatch(lines[at + 1]):
        return []
    end = next((n for n in range(at + 2, len(lines)) if not _ROW.fullmatch(lines[n])), len(lines))
    return lines[at:end] if end > at + 2 else []


def _cells(row: str) -> list[str]:
    inner = row.strip()[1:-1]
    return [cell.strip().replace("\\|", "|") for cell in _BAR.split(inner)]


def _item(headings: Sequence[str], cells: Sequence[str]) -> str:
    """One row: its first cell, and the others under their headings."""
    first, *others = cells
    named = zip([*headings[1:], *[""] * len(others)], others, strict=False)
    rest = " / ".join(f"{heading}: {cell}" if heading else cell for heading, cell in named if cell)
    label = f"**{first}**" if first and "*" not in first else first
    return "- " + " — ".join(filter(None, (label, rest)))
