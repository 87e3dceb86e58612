"""A fetched page as a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import httpx
from bs4 import BeautifulSoup, Tag
from bs4.dammit import EncodingDetector
from bs4.filter import SoupStrainer

from knowledge import formats
from knowledge.documents import Document
from knowledge.formats import NoContent
from knowledge.sources import Website
from knowledge.web.addresses import host_of, normalised
from knowledge.web.errors import Refused
from knowledge.web.page import Page

_HTML = ("text/html", "application/xhtml+xml")
_OFFICE = "application/vnd.openxmlformats-officedocument"
_SUFFIXES = {
    **dict.fromkeys(_HTML, ".html"),
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "text/csv": ".csv",
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
_KEEP_OUT = re.compile(r"\b(noindex|none)\b")


def is_readable(media_type: str) -> bool:
    """Whether pages of this type are read."""
    return _SUFFIXES.get(media_type) in formats.SUFFIXES


def canonical(page: Page) -> str:
    """The address under which the page wants to be known: its own, or another one of its host that it names."""
    if page.media_type not in _HTML:
        return page.address
    soup = _head(page)
    base, link = soup.find("base", href=True), soup.find("link", rel="canonical", href=True)
    try:
        context = normalised(str(base["href"]), base=page.address) if isinstance(base, Tag) else page.address
        named = normalised(str(link["href"]), base=context) if isinstance(link, Tag) else page.address
    except ValueError:
        return page.address
    return named if host_of(named) == host_of(page.address) else page.address


def document(source: Website, page: Page) -> Document:
    """What the page says, to whom the source is for.

    Raises:
        Refused: it does not want to be indexed.
        NoContent, Undecodable: it says nothing, for the reason given.
    """
    if any(_KEEP_OUT.search(said) for said in _said_to_robots(page)):
        raise Refused("asks not to be indexed (noindex)")
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
    return suffix if plain and suffix in (".md", ".markdown", ".csv") else _SUFFIXES[page.media_type]


def _said_to_robots(page: Page) -> Iterator[str]:
    """What the server and the page say to every robot, or to this one."""
    yield page.robots
    if page.media_type in _HTML:
        for meta in _head(page).find_all("meta", attrs={"name": re.compile("^(robots|madoguchi)$", re.IGNORECASE)}):
            yield str(meta.get("content", "")).lower()


def _head(page: Page) -> BeautifulSoup:
    return BeautifulSoup(page.content, "html.parser", parse_only=SoupStrainer(["base", "link", "meta"]))


def _as_utf8(page: Page) -> bytes:
    """The page's text in UTF-8 where its encoding is named, rightly; else its bytes, to be guessed from."""
    if not page.media_type.startswith(("text/", "application/xhtml")):
        return page.content
    named = page.charset or EncodingDetector.find_declared_encoding(page.content, is_html=True) or ""
    try:
        return page.content.decode(_CODECS[named]).encode()
    except (KeyError, UnicodeError):
        return page.content


def _last_part(address: str) -> str:
    url = httpx.URL(address)
    return PurePosixPath(url.path).name or url.raw_host.decode("ascii")
