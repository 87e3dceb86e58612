"""PDF files that have text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from pypdfium2 import PdfDocument, PdfiumError
from pypdfium2.raw import FPDF_ERR_PASSWORD

from knowledge.documents import BREAK
from knowledge.formats.content import Content, NoContent

MAX_PAGES = 2_000
_HYPHENS = re.compile("[\ufffe\x02]\n?")
"""What pdfium gives for a hyphen at the end of a line, where a word goes on in the next."""
_PAGE_NUMBER = re.compile(r"\W*(?:p(?:age)?\W*)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?(?:\s*ページ)?\W*", re.IGNORECASE)
_SENTENCE_END = tuple("。．.!?！？：:」』】")
_FULL = 0.7
"""Of the widest line: a shorter one was ended by its author, not by the margin (a heading, an item)."""


def from_pdf(content: bytes) -> Content:
    """The text of all pages, lines joined where only the margin broke them; a PDF's own title is too often another's.

    Raises:
        NoContent: it is encrypted, damaged, too long, or has no text.
    """
    try:
        with PdfDocument(content) as document:
            pages = list(_pages(document))
    except PdfiumError as error:
        encrypted = error.err_code == FPDF_ERR_PASSWORD
        raise NoContent("encrypted: it needs a password" if encrypted else "a damaged PDF") from error
    begins, text = [], ""
    for page in pages:
        text += "\n\n" if text and page else ""
        begins.append(len(text))
        text += page
    if not text.strip():
        raise NoContent("a PDF without text: scanned pages are not read")
    return Content(title="", text=text, pages=tuple(begins))


def _pages(document: PdfDocument) -> Iterator[str]:
    if len(document) > MAX_PAGES:
        raise NoContent(f"more than {MAX_PAGES:,} pages")
    for page in document:
        printed = page.get_textpage().get_text_bounded().replace("\r\n", "\n").replace(BREAK, "\n").replace("\0", "")
        yield "\n".join(joined(_without_page_number(_HYPHENS.sub("", printed).split("\n"))))
        page.close()


def _without_page_number(lines: list[str]) -> list[str]:
    lines = [stripped for line in lines if (stripped := unicodedata.normalize("NFC", line).strip())]
    first = 1 if lines and _PAGE_NUMBER.fullmatch(lines[0]) else 0
    last = -1 if lines[first:] and _PAGE_NUMBER.fullmatch(lines[-1]) else None
    return lines[first:last]


def joined(lines: Iterable[str]) -> Iterator[str]:
    """The lines as their author wrote them: what the margin broke is one line again."""
    lines = list(lines)
    full = _FULL * max(map(_width, lines), default=0)
    paragraph, goes_on = "", False
    for line in lines:
        if goes_on:
            paragraph += _between(paragraph, line) + line
        else:
            yield from [paragraph] if paragraph else []
            paragraph = line
        goes_on = _width(line) >= full and not line.endswith(_SENTENCE_END)
    yield from [paragraph] if paragraph else []


def _between(left: str, right: str) -> str:
    return "" if _wide(left[-1]) or _wide(right[0]) else " "


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _width(line: str) -> int:
    """In columns of a terminal: a Japanese character takes two."""
    return len(line) + sum(map(_wide, line))
