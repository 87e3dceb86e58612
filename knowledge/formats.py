"""Kinds of files as Markdown: each function takes a file's text and gives its title and content. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from knowledge.decoding import decode
from knowledge.documents import BREAK


class NoContent(ValueError):
    """The file gives no document; the message is the reason, for people."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says: `title` (empty when it names none) and `text` in Markdown."""

    title: str
    text: str


_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE_LINE = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE)
_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)


def from_markdown(text: str) -> Content:
    """Markdown without its front matter; the title is the front matter's, else the first heading of level one."""
    front = _FRONT_MATTER.match(text)
    body = text[front.end() :] if front else text
    found = (_TITLE_LINE.search(front[1]) if front else None) or _HEADING.search(body)
    return Content(title=found[1].strip("\"' ") if found else "", text=body.replace(BREAK, "\n"))


def from_text(text: str) -> Content:
    """Plain text as it is; it names no title."""
    return Content(title="", text=text.replace(BREAK, "\n"))


_QUESTIONS = ("question", "q", "質問", "問い合わせ内容")
_ANSWERS = ("answer", "a", "回答", "答え")


def from_csv(text: str) -> Content:
    """One part for each row: `Q: …` and `A: …` where the header names them, else a line `column: value` for each."""
    try:
        header, *rows = csv.reader(io.StringIO(text), strict=True)
    except ValueError as error:
        raise NoContent("empty") from error
    except csv.Error as error:
        raise NoContent(f"broken CSV: {error}") from error
    records = [dict(zip(header, row, strict=False)) for row in rows]
    return Content(title="", text=BREAK.join(filter(None, map(_row, records))).strip(BREAK))


def _row(record: Mapping[str, str]) -> str:
    cells = {column.strip(): cell.replace(BREAK, " ").strip() for column, cell in record.items()}
    named = {column.casefold(): cell for column, cell in cells.items()}
    question = next((named[column] for column in _QUESTIONS if named.get(column)), "")
    answer = next((named[column] for column in _ANSWERS if named.get(column)), "")
    if question and answer:
        return f"Q: {question}\nA: {answer}"
    return "\n".join(f"{column}: {cell}" for column, cell in cells.items() if cell)


_SILENT = ("nav", "script", "style", "noscript", "template", "svg", "form", "iframe")
_BLOCKS = re.compile(
    "address|article|aside|blockquote|body|dd|div|dl|dt|fig.+|footer|header|hr|html|li|main|ol|p|pre|section|table|ul"
)


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


def _table(table: Tag) -> str:
    rows = [[cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")]
    lines = [f"| {' | '.join(row)} |" for row in rows if row]
    if lines:
        lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n\n" + "\n".join(lines) + "\n\n"


_READERS: dict[str, Callable[[str], Content]] = {
    ".md": from_markdown,
    ".markdown": from_markdown,
    ".txt": from_text,
    ".html": from_html,
    ".htm": from_html,
    ".csv": from_csv,
}
SUFFIXES = frozenset(_READERS)


def read(name: str, content: bytes) -> Content:
    """What a file of this name says.

    Raises:
        NoContent, Undecodable: nothing, for the reason given.
    """
    return _READERS[PurePosixPath(name).suffix.lower()](decode(content))
