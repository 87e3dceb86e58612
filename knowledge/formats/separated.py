"""Rows of a text file: comma, semicolon or tab between the cells. Pure."""

from __future__ import annotations

import csv
import io

from knowledge.formats.content import Content, NoContent
from knowledge.formats.rows import as_markdown


def from_csv(text: str) -> Content:
    """The rows as questions with answers, a table or records."""
    if not text.strip():
        raise NoContent("empty")
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True))
    except csv.Error as error:
        raise NoContent(f"broken CSV: {error}") from error
    return Content(title="", text=as_markdown(rows))


def _delimiter(text: str) -> str:
    """What stands most often in the first line that has text (csv.Sniffer takes letters for delimiters)."""
    first = next(line for line in text.split("\n") if line.strip())
    return max(",;\t", key=first.count)
