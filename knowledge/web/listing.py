"""Which pages a website has: the addresses that its sitemaps or its feed name. Pure."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from xml.etree.ElementTree import Element, ParseError

import feedparser
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from knowledge.sources import MAX_PAGES
from knowledge.web.errors import Unreachable
from knowledge.web.exchange import decompressed

MAX_FEED_BYTES = 5_000_000
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What one file of a sitemap names, as written there: pages, or further sitemaps."""

    pages: tuple[str, ...]
    sitemaps: tuple[str, ...]


def read_sitemap(content: bytes) -> Sitemap:
    """What a sitemap or an index of sitemaps names, packed or not; a little more than MAX_PAGES at most.

    Raises:
        Unreachable: it is none; the site may mend it.
        Refused: it is too large.
    """
    if content.startswith(_GZIP):
        content = decompressed(content)
    try:
        entries = list(islice(_entries(content), MAX_PAGES + 1))
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise Unreachable("no sitemap: its XML is broken, or has a document type") from error
    pages = tuple(address for kind, address in entries if kind == "url")
    sitemaps = tuple(address for kind, address in entries if kind == "sitemap")
    return Sitemap(pages, sitemaps)


def read_feed(content: bytes, address: str) -> tuple[str, ...]:
    """The pages that an RSS or Atom feed names, absolute; a little more than MAX_PAGES at most.

    Raises:
        Unreachable: it is no feed; the site may mend it.
    """
    if len(content) > MAX_FEED_BYTES:
        raise Unreachable(f"no feed that is read: larger than {MAX_FEED_BYTES // 1_000_000} MB")
    try:  # as a file: of a plain string feedparser takes the name of a file or an address
        feed = feedparser.parse(io.BytesIO(content), response_headers={"content-location": address})
    except Exception as error:  # its parsers were not written for bytes that are meant to break them
        raise Unreachable("neither RSS nor Atom") from error
    if not feed.get("version") or (feed.get("bozo") and not feed.entries):
        raise Unreachable("neither RSS nor Atom")
    return tuple(str(entry.link) for entry in feed.entries[: MAX_PAGES + 1] if entry.get("link"))


def _entries(content: bytes) -> Iterator[tuple[str, str]]:
    """Each entry's kind, `url` or `sitemap`, and address; memory stays that of one entry.

    Raises:
        ValueError: the root is no sitemap's.
    """
    path: list[Element] = []
    for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            path.append(element)
            if _name(path[0]) not in ("urlset", "sitemapindex"):
                raise ValueError("no sitemap")
            continue
        path.pop()
        if len(path) == 1:
            yield _name(element), (element.findtext("{*}loc") or "").strip()
            path[0].clear()


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
