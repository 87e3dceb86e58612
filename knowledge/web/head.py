"""What an HTML page says about itself to robots."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag
from bs4.filter import SoupStrainer

from knowledge.web.addresses import host_of, normalised
from knowledge.web.page import HTML, Page

_BYTES = 200_000
"""Of the page's beginning: that is where its head is."""
_FOR_US = re.compile("^(robots|madoguchi)$", re.IGNORECASE)
_KEEP_OUT = re.compile(r"\b(noindex|none)\b")


@dataclass(frozen=True, slots=True)
class Head:
    """What a page says about itself.

    Args:
        canonical: the address under which it wants to be known: its own, or another one of its host.
        noindex: whether it asks not to be indexed.
    """

    canonical: str
    noindex: bool


def read_head(page: Page) -> Head:
    """What the page says about itself, in its headers and, if it is HTML, in its head."""
    content = page.markup[:_BYTES] if page.media_type in HTML else b""
    soup = BeautifulSoup(content, "lxml", parse_only=SoupStrainer(["base", "link", "meta"]))
    said = [page.robots, *_said_to_robots(soup)]
    return Head(_canonical(soup, page.address), noindex=any(map(_KEEP_OUT.search, said)))


def _canonical(soup: BeautifulSoup, address: str) -> str:
    base, link = soup.find("base", href=True), soup.find("link", rel="canonical", href=True)
    try:
        context = normalised(str(base["href"]), base=address) if isinstance(base, Tag) else address
        named = normalised(str(link["href"]), base=context) if isinstance(link, Tag) else address
    except ValueError:
        return address
    return named if host_of(named) == host_of(address) else address


def _said_to_robots(soup: BeautifulSoup) -> Iterator[str]:
    for meta in soup.find_all("meta", attrs={"name": _FOR_US}):
        yield str(meta.get("content", "")).lower()
