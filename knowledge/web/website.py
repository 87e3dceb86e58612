"""The documents of a website: what its lists name, fetched anew or still the same."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from knowledge.decoding import Undecodable
from knowledge.documents import Document, Skipped
from knowledge.formats import NoContent
from knowledge.sources import Source, Website
from knowledge.web.addresses import Resolve, resolve
from knowledge.web.cache import Cache
from knowledge.web.connection import Tick
from knowledge.web.discovery import Discovery, discover
from knowledge.web.errors import NotFetched, Refused
from knowledge.web.exchange import Exchange
from knowledge.web.head import read_head
from knowledge.web.mirror import Mirror
from knowledge.web.page import Page
from knowledge.web.reading import document, is_readable
from knowledge.web.visitor import Visitor

MAX_BYTES = 1_000_000_000
"""Of all pages of one source: a hostile site must not fill the disk."""


def load_website(source: Website, web: Path, tick: Tick, resolve: Resolve = resolve) -> Iterator[Document | Skipped]:
    """Every page that the source names, as a Document, as Skipped, or as both: not to be had now, but kept.

    What was fetched is kept below `web` as long as the source names it and the site has it.
    """
    exchange = Exchange(resolve, source.allow_private, tick)
    visitor = Visitor(exchange, hosts=source.all_hosts, requests_per_second=source.requests_per_second)
    folder = web / _folder(source)
    lists, pages = Mirror(visitor, Cache(folder / "lists")), Mirror(visitor, Cache(folder / "pages"))
    found = discover(source, lists)
    yield from found.skipped
    yield from _documents(source, pages, _addresses(found, pages.cache))


def forget_others(web: Path, sources: Sequence[Source]) -> None:
    """Delete what was fetched for sources that are not among these."""
    kept = {_folder(source) for source in sources if isinstance(source, Website)}
    for folder in web.glob("*/"):
        if folder.name not in kept:
            shutil.rmtree(folder)


def _folder(source: Website) -> str:
    named = "\n".join([source.kind, *source.addresses])
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def _addresses(found: Discovery, cache: Cache) -> list[str]:
    """The pages of the source; what was fetched and is not among them is deleted, if all lists could be read."""
    if not found.complete:
        return list(dict.fromkeys([*found.addresses, *cache.addresses()]))
    cache.keep_only(found.addresses)
    return [*found.addresses]


def _documents(source: Website, pages: Mirror, addresses: Sequence[str]) -> Iterator[Document | Skipped]:
    known: dict[str, str] = {}  # by canonical address
    room = MAX_BYTES
    for address in addresses:
        try:
            copy = pages.get(address, is_readable)
            room -= len(copy.page.content)
            if copy.outdated:
                yield Skipped(address, copy.outdated)
            yield _document(source, copy.page, known)
        except Refused as error:
            pages.cache.remove(address)
            yield Skipped(address, str(error))
        except (NotFetched, NoContent, Undecodable) as error:
            yield Skipped(address, str(error))
        except RecursionError:
            yield Skipped(address, "nested too deeply")
        if room < 0:
            yield Skipped(
                source.where, f"has more than {MAX_BYTES // 1_000_000} MB: what comes after {address} is not read"
            )
            return


def _document(source: Website, page: Page, known: dict[str, str]) -> Document:
    """The document in a page that is not known yet.

    Raises:
        Refused: it asks not to be indexed.
        NoContent, Undecodable: it says nothing new, for the reason given.
    """
    head = read_head(page)
    if head.noindex:
        raise Refused("asks not to be indexed (noindex)")
    if head.canonical in known:
        raise NoContent(f"the same page as {known[head.canonical]}")
    read = document(source, page)
    known[head.canonical] = page.address
    return read
