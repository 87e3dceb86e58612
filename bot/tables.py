"""Tables for platforms that draw none: each row becomes a list item that names its columns. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_FENCE = re.compile(r"\s*(```|~~~)")
_BAR = re.compile(r"(?<!\\)\|")
_BORDERED_ROW = re.compile(r"\s*\|.*\|\s*")
_BORDERED_RULE = re.compile(r"\s*\|(?:\s*:?-+:?\s*\|)+\s*")
_RULE = re.compile(r"\s*(?:\|\s*)?:?-+:?\s*(?:\|\s*:?-+:?\s*)*(?:\|\s*)?")
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)


def with_lists_for_tables(markdown: str, most_chars: int, *, borderless: bool = False) -> str:
    """The text with every table (a row of headings, a rule, rows) as a list; as it was where that would be too long.

    Args:
        borderless: a table is one, too, whose rows do not begin and end with a bar.
    """
    listed = "\n".join(_lines(markdown.split("\n"), borderless=borderless))
    return listed if len(listed) <= most_chars else markdown


def _lines(lines: Sequence[str], *, borderless: bool) -> Iterator[str]:
    at, in_code = 0, False
    while at < len(lines):
        in_code ^= bool(_FENCE.match(lines[at]))
        rows = [] if in_code else _table_at(lines, at, borderless=borderless)
        if rows:
            headings = _cells(rows[0])
            yield from filter(None, (_item(headings, _cells(row)) for row in rows[2:]))
            at += len(rows)
        else:
            yield lines[at]
            at += 1


def _table_at(lines: Sequence[str], at: int, *, borderless: bool) -> Sequence[str]:
    """The lines of the table that begins there; none when none does."""
    is_row, is_rule = (_has_bar, _is_rule) if borderless else (_BORDERED_ROW.fullmatch, _BORDERED_RULE.fullmatch)
    if at + 2 >= len(lines) or not is_row(lines[at]) or not is_rule(lines[at + 1]):
        return []
    end = next((n for n in range(at + 2, len(lines)) if not is_row(lines[n])), len(lines))
    return lines[at:end] if end > at + 2 else []


def _has_bar(line: str) -> bool:
    return bool(_BAR.search(line))


def _is_rule(line: str) -> bool:
    return "|" in line and bool(_RULE.fullmatch(line))


def _cells(row: str) -> list[str]:
    inner = row.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [_BREAK.sub(" ", cell).strip().replace("\\|", "|") for cell in _BAR.split(inner)]


def _item(headings: Sequence[str], cells: Sequence[str]) -> str:
    """One row: its first cell, and the others under their headings; empty for a row without words."""
    first, *others = cells
    named = zip([*headings[1:], *[""] * len(others)], others, strict=False)
    rest = " / ".join(f"{heading}: {cell}" if heading else cell for heading, cell in named if cell)
    label = f"**{first}**" if first and "*" not in first else first
    words = " — ".join(filter(None, (label, rest)))
    return f"- {words}" if words else ""
