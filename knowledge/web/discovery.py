"""Which pages a source has: its sitemaps, its feed or its own list decide; no link within a page is followed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.documents import Skipped
from knowledge.sources import MAX_PAGES, Website
from knowledge.web.addresses import normalised
from knowledge.web.errors import NotFetched
from knowledge.web.listing import Sitemap, read_feed, read_sitemap
from knowledge.web.mirror import Mirror
from knowledge.web.page import Page

MAX_SITEMAPS = 200


@dataclass(frozen=True, slots=True)
class Discovery:
    """The pages of a source.

    Args:
        addresses: normalised, each once, MAX_PAGES at most.
        skipped: what is not among them, and why.
        complete: whether every list could be read: what none of them names has left the source then.
    """

    addresses: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    complete: bool


def discover(source: Website, lists: Mirror) -> Discovery:
    """What the source names now; a list that cannot be reached still names what it named before."""
    return _Search(source, lists).result()


class _Search:
    """Collects the addresses of pages from one list after the other."""

    def __init__(self, source: Website, lists: Mirror) -> None:
        self._source = source
        self._lists = lists
        self._pages: dict[str, None] = {}
        self._skipped: list[Skipped] = []
        self._complete = True

    def result(self) -> Discovery:
        if self._source.sitemap:
            self._search_sitemaps(self._source.sitemap)
        elif self._source.feed:
            self._search_feed(self._source.feed)
        else:
            self._pages = dict.fromkeys(self._source.pages)
        if len(self._pages) > MAX_PAGES:
            self._skip(self._source.where, f"names more pages than are read: the first {MAX_PAGES} are")
        return Discovery(tuple(self._pages)[:MAX_PAGES], tuple(self._skipped), self._complete)

    def _search_sitemaps(self, first: str) -> None:
        seen, waiting = {first}, deque([first])
        while waiting and len(self._pages) <= MAX_PAGES:
            sitemap = self._read_sitemap(waiting.popleft())
            self._add(sitemap.pages, base=first)
            further = [address for address in self._normalised(sitemap.sitemaps, base=first) if address not in seen]
            room = MAX_SITEMAPS - len(seen)
            if len(further) > room:
                self._skip(first, f"names more sitemaps than are read: the first {MAX_SITEMAPS} are")
            seen.update(further[:room])
            waiting.extend(further[:room])
        self._forget_lists_but(seen)

    def _read_sitemap(self, address: str) -> Sitemap:
        """What a sitemap names; nothing when it cannot be read, and that is noted."""
        try:
            return read_sitemap(self._list(address).content)
        except NotFetched as error:
            self._miss(address, error)
            return Sitemap((), ())

    def _search_feed(self, address: str) -> None:
        try:
            page = self._list(address)
            self._add(read_feed(page.content, page.address), base=page.address)
        except NotFetched as error:
            self._miss(address, error)
        self._forget_lists_but({address})

    def _list(self, address: str) -> Page:
        copy = self._lists.get(address, lambda _: True)  # lists are served as XML, text, or anything else
        if copy.outdated:
            self._skip(address, copy.outdated)
        return copy.page

    def _add(self, addresses: tuple[str, ...], *, base: str) -> None:
        self._pages |= dict.fromkeys(self._normalised(addresses, base=base))

    def _normalised(self, addresses: tuple[str, ...], *, base: str) -> Iterator[str]:
        for address in dict.fromkeys(addresses):
            try:
                yield normalised(address, base=base)
            except ValueError as error:
                self._skip(address[:200], str(error))

    def _miss(self, address: str, error: NotFetched) -> None:
        self._complete = False
        self._skip(address, str(error))

    def _skip(self, address: str, reason: str) -> None:
        self._skipped.append(Skipped(address, reason))

    def _forget_lists_but(self, addresses: set[str]) -> None:
        if self._complete:
            self._lists.cache.keep_only(addresses)
