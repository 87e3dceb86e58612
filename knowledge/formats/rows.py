"""Rows of cells as Markdown: questions with their answers, a table, or records. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from knowledge.documents import BREAK

Row = Sequence[str]

_QUESTIONS = ("question", "q", "質問", "質問内容", "問い合わせ内容", "問い")
_ANSWERS = ("answer", "a", "回答", "回答内容", "答え")
_HEADER_WITHIN_ROWS = 20
"""A sheet's title and date may stand above its header; a longer preface is no preface."""
_MAX_LINE_CHARS = 200
"""A longer row would be cut within, away from the columns' names, so each cell says its column instead."""


class _Columns(NamedTuple):
    question: int
    answer: int


def as_markdown(rows: Sequence[Row]) -> str:
    """What the rows say.

    Rows under a header that names questions and answers become a part each, `Q: …` and `A: …`, BREAKs between them.
    Others become a table, or a part each when they are long.
    """
    rows = [cells for row in rows if any(cells := [_one_line(cell) for cell in row])]
    if not rows:
        return ""
    at = _header(rows)
    header, body = rows[at], rows[at + 1 :]
    preface = "\n".join(" ".join(filter(None, row)) for row in rows[:at])
    columns = _columns(header)
    if columns:
        parts = [_answer(header, row, columns) for row in body]
    elif body and max(map(_line_chars, body)) > _MAX_LINE_CHARS:
        parts = [_record(header, row) for row in body]
    else:
        parts = [table([header, *body])]
    return BREAK.join(filter(None, [preface, *parts]))


def table(rows: Sequence[Row]) -> str:
    """A Markdown table whose header is the first row, as wide as its widest row is filled."""
    width = max((at for row in rows for at, cell in enumerate(row, 1) if cell.strip()), default=1)
    lines = [_line([*row, *[""] * width][:width]) for row in rows]
    return "\n".join([*lines[:1], "|" + " --- |" * width, *lines[1:]])


def _line(row: Row) -> str:
    return "| " + " | ".join(_one_line(cell).replace("|", "\\|") for cell in row) + " |"


def _one_line(cell: str) -> str:
    return re.sub(r"\s+", " ", cell).strip()


def _line_chars(row: Row) -> int:
    return sum(map(len, row))


def _header(rows: Sequence[Row]) -> int:
    """Where the header is: it names questions and answers, else it is the first row that fills two cells."""
    beginning = list(enumerate(rows[:_HEADER_WITHIN_ROWS]))
    named = (at for at, row in beginning if _columns(row))
    wide = (at for at, row in beginning if sum(map(bool, row)) > 1)
    return next(named, next(wide, 0))


def _columns(header: Row) -> _Columns | None:
    """Which columns hold the questions and the answers."""
    names = [cell.casefold().rstrip(":：") for cell in header]
    question = next((names.index(name) for name in _QUESTIONS if name in names), None)
    answer = next((names.index(name) for name in _ANSWERS if name in names), None)
    return None if question is None or answer is None else _Columns(question, answer)


def _answer(header: Row, row: Row, columns: _Columns) -> str:
    """`Q: …` and `A: …`; a row that lacks one of them as a record."""
    if len(row) <= max(columns) or not row[columns.question] or not row[columns.answer]:
        return _record(header, row)
    return f"Q: {row[columns.question]}\nA: {row[columns.answer]}"


def _record(header: Row, row: Row) -> str:
    return "\n".join(_named(header, row))


def _named(header: Row, row: Row) -> Iterator[str]:
    for at, cell in enumerate(row):
        name = header[at] if at < len(header) else ""
        if cell:
            yield f"{name}: {cell}" if name else cell
