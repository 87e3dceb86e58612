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
from knowledge.web.mirror import Mirror
from knowledge.web.reading import canonical, document, is_readable
from knowledge.web.visitor import Visitor


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
    for folder in web.glob("*"):
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
    first_of: dict[str, str] = {}  # by canonical address
    for address in addresses:
        try:
            copy = pages.get(address, is_readable)
            if copy.outdated:
                yield Skipped(address, copy.outdated)
            first = first_of.setdefault(canonical(copy.page), address)
            if first == address:
                yield document(source, copy.page)
            else:
                yield Skipped(address, f"the same page as {first}")
        except Refused as error:
            pages.cache.remove(address)
            yield Skipped(address, str(error))
        except (NotFetched, NoContent, Undecodable) as error:
            yield Skipped(address, str(error))
        except RecursionError:
            yield Skipped(address, "nested too deeply")
