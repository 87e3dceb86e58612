"""Web pages. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from knowledge.documents import BREAK
from knowledge.formats.content import Content
from knowledge.formats.rows import table

_SILENT = ("nav", "script", "style", "noscript", "template", "svg", "form", "iframe")
_BLOCKS = re.compile(
    "address|article|aside|blockquote|body|dd|div|dl|dt|fig.+|footer|header|hr|html|li|main|ol|p|pre|section|table|ul"
)

_MAX_SPAN = 20
"""Rows and columns of one cell, and columns with cells that span rows: a hostile table must not grow by itself."""


def from_html(text: str) -> Content:
    """The page's text with headings, list items and table rows as Markdown, without navigation, scripts and styles."""
    soup = BeautifulSoup(text, "lxml")  # Python's own parser takes quadratic time for "<a <a <a …", and fails at "<![<"
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    for silent in soup([*_SILENT, "head"]):
        silent.decompose()
    first = soup.find("h1")
    heading = first.get_text(" ", strip=True) if isinstance(first, Tag) else ""
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in _markdown(soup).replace(BREAK, " ").split("\n"))
    return Content(title=heading or title, text=re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip())


def _markdown(node: Tag) -> str:
    return "".join(_piece(child) for child in node.children)


def _piece(child: object) -> str:
    if isinstance(child, Tag):
        return _element(child)
    # Subclasses of NavigableString are comments, doctypes and the like
    return re.sub(r"\s+", " ", child) if type(child) is NavigableString else ""


def _element(tag: Tag) -> str:
    if re.fullmatch("h[1-6]", tag.name):
        return f"\n\n{'#' * int(tag.name[1])} {tag.get_text(' ', strip=True)}\n\n"
    if tag.name == "br":
        return "\n"
    if tag.name == "table":
        return _table(tag)
    if tag.name == "li":
        return f"\n- {_markdown(tag).strip()}\n"
    inner = _markdown(tag)
    return f"\n\n{inner}\n\n" if _BLOCKS.fullmatch(tag.name) else inner


def _table(element: Tag) -> str:
    rows = [row for row in _rows(element) if row]
    return f"\n\n{table(rows)}\n\n" if rows else ""


def _rows(element: Tag) -> Iterator[list[str]]:
    """The cells of each row; one that spans rows says its text in each, one that spans columns in the first."""
    from_above: dict[int, tuple[str, int]] = {}
    for row in element.find_all("tr"):
        cells: list[str] = []
        for cell in row.find_all(["th", "td"]):
            _fill(cells, from_above)
            texts = [cell.get_text(" ", strip=True), *[""] * (_span(cell, "colspan") - 1)]
            if len(cells) < _MAX_SPAN:
                rows = _span(cell, "rowspan")
                from_above.update({len(cells) + at: (text, rows) for at, text in enumerate(texts)})
            cells += texts
        _fill(cells, from_above)
        from_above = {column: (text, rows - 1) for column, (text, rows) in from_above.items() if rows > 1}
        yield cells


def _fill(cells: list[str], from_above: dict[int, tuple[str, int]]) -> None:
    while len(cells) in from_above:
        cells.append(from_above[len(cells)][0])


def _span(cell: Tag, name: str) -> int:
    stated = str(cell.get(name, ""))
    return max(1, min(int(stated), _MAX_SPAN)) if re.fullmatch("[0-9]{1,9}", stated) else 1
