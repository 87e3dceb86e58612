"""A fetched page as a document."""

from __future__ import annotations

from pathlib import PurePosixPath

import httpx
from bs4.dammit import EncodingDetector

from knowledge import formats
from knowledge.documents import Document
from knowledge.formats import NoContent
from knowledge.sources import Website
from knowledge.web.page import HTML, Page

_OFFICE = "application/vnd.openxmlformats-officedocument"
_SUFFIXES = {
    **dict.fromkeys(HTML, ".html"),
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/pdf": ".pdf",
    f"{_OFFICE}.wordprocessingml.document": ".docx",
    f"{_OFFICE}.presentationml.presentation": ".pptx",
    f"{_OFFICE}.spreadsheetml.sheet": ".xlsx",
}
_CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
    "iso-8859-1": "cp1252",  # what browsers take it for
    "windows-1252": "cp1252",
}


def is_readable(media_type: str) -> bool:
    """Whether pages of this type are read."""
    return _SUFFIXES.get(media_type) in formats.SUFFIXES


def document(source: Website, page: Page) -> Document:
    """What the page says, to whom the source is for.

    Raises:
        NoContent, Undecodable: nothing, for the reason given.
    """
    content = formats.read(f"page{_suffix(page)}", _as_utf8(page))
    if not content.text.strip():
        raise NoContent("empty")
    return Document(
        id=page.address,
        title=content.title or _last_part(page.address),
        uri=page.address,
        text=content.text,
        audience=source.audience,
        language=source.language,
    )


def _suffix(page: Page) -> str:
    suffix = PurePosixPath(httpx.URL(page.address).path).suffix.lower()
    plain = page.media_type == "text/plain"
    return suffix if plain and suffix in (".md", ".markdown", ".csv", ".tsv") else _SUFFIXES[page.media_type]


def _as_utf8(page: Page) -> bytes:
    """The page's text in UTF-8 where its encoding is named, rightly; else its bytes, to be guessed from."""
    if not page.media_type.startswith(("text/", "application/xhtml")):
        return page.content
    content = page.markup if page.media_type in HTML else page.content
    named = page.charset or EncodingDetector.find_declared_encoding(page.content, is_html=True) or ""
    try:
        return content.decode(_CODECS[named]).encode()
    except (KeyError, UnicodeError):
        return content


def _last_part(address: str) -> str:
    url = httpx.URL(address)
    return PurePosixPath(url.path).name or url.raw_host.decode("ascii")
