"""Pages as they are now, or as they were when the site could last be reached."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.web.cache import Cache
from knowledge.web.errors import Refused, Unreachable
from knowledge.web.page import Page
from knowledge.web.visitor import Readable, Visitor


@dataclass(frozen=True, slots=True)
class Copy:
    """A page; `outdated` says why it is not as of now, and since when; empty: it is."""

    page: Page
    outdated: str = ""


@dataclass(frozen=True, slots=True)
class Mirror:
    """Fetches pages into a cache, and only what has changed."""

    visitor: Visitor
    cache: Cache

    def get(self, address: str, readable: Readable) -> Copy:
        """The page at an address.

        Raises:
            Unreachable: not to be had for now, and it was never fetched.
            Refused: there is none for us; what was fetched before is deleted.
        """
        known = self.cache.page(address)
        try:
            page = self.visitor.get(address, known, readable)
        except Unreachable as error:
            if known is None:
                raise
            return Copy(known, f"{error}; it stays as it was on {self.cache.confirmed_on(address)}")
        except Refused:
            self.cache.remove(address)
            raise
        if page is known:
            self.cache.confirm(address)
        else:
            self.cache.keep(address, page)
        return Copy(page)
