"""Citing: a source as it is shown under an answer, and the page on which it can be read in its document."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import redis

from bot.errors import StoreUnavailable
from bot.messages import Citation
from bot.passages.links import address, page_name
from bot.passages.shelf import CitedPassage, Piece, Shelf
from bot.sanitise import sanitise
from knowledge.documents import Chunk, Passage
from knowledge.errors import NoIndex
from workers.erasure import rewrite_soon

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer is read: on which platform, by whom."""

    platform: str
    audience: frozenset[str]


class Documents(Protocol):
    """What stands where in the newest index."""

    def around(self, chunk_id: str, audience: frozenset[str]) -> Sequence[Chunk]: ...

    def follow(self) -> str: ...


def shown_title(chunk: Chunk) -> str:
    """The document's title as it may leave, on one line: who names a file is not trusted either."""
    return " ".join(sanitise(chunk.title).split())


class Citing:
    """Makes citations, and keeps what their pages show as long as it may be read where it was cited."""

    def __init__(self, store: redis.Redis, documents: Documents, addresses: Mapping[str, str]) -> None:
        """`addresses`: the web process's, without a final slash, for each platform on which links to it open."""
        self._store = store
        self._shelf = Shelf(store)
        self._documents = documents
        self._addresses = addresses

    def citations(self, passages: Sequence[Passage], place: Place) -> tuple[Citation, ...]:
        """The passages as sources, numbered from 1."""
        return tuple(self._citation(number, passage.chunk, place) for number, passage in enumerate(passages, 1))

    def refresh(self) -> None:
        """Have every page show what the newest index says to those whom it was made for, and no page anything else.

        Raises:
            NoIndex, StoreUnavailable
        """
        for name, kept in self._shelf.kept():
            newest = kept and self._cited(kept.chunk_id, frozenset(kept.labels))
            if newest is None:
                self._shelf.drop(name)
            elif newest.bounded() != kept:
                self._shelf.renew(newest)
        rewrite_soon(self._store, "passages")  # also what ended before is in the store's file until then

    def _citation(self, number: int, chunk: Chunk, place: Place) -> Citation:
        cited = Citation(number, shown_title(chunk), chunk.uri, " > ".join(chunk.heading_path), chunk.text)
        if cited.address or place.platform not in self._addresses:
            return cited
        page = self._page(chunk, place.audience)
        return replace(cited, page=f"{self._addresses[place.platform]}{page}") if page else cited

    def _page(self, chunk: Chunk, audience: frozenset[str]) -> str:
        """Where the chunk's page is, below the web process's address; empty when it can have none."""
        try:
            token = self._kept(chunk.id, audience)
        except (NoIndex, StoreUnavailable) as error:  # an answer is one without a link too
            log.warning("passage not linked", extra={"error": type(error).__name__})
            return ""
        return address(token) if token else ""

    def _kept(self, chunk_id: str, audience: frozenset[str]) -> str:
        """The token of a link to the chunk's page; empty when the newest index has no such chunk for this audience.

        Whoever follows the index sees to every page that was kept before it changed; so the last look at what changed
        comes after the page is kept.
        """
        before = ""
        while before != (newest := self._documents.follow()):
            before = newest
            cited = self._cited(chunk_id, audience)
            if cited is None:
                self._shelf.drop(page_name(chunk_id, audience))
                return ""
            token = self._shelf.keep(cited)
        return token

    def _cited(self, chunk_id: str, audience: frozenset[str]) -> CitedPassage | None:
        chunks = self._documents.around(chunk_id, audience)
        cited = next((chunk for chunk in chunks if chunk.id == chunk_id), None)
        if cited is None:
            return None
        pieces = tuple(Piece(" > ".join(chunk.heading_path), chunk.text, chunk is cited) for chunk in chunks)
        return CitedPassage(chunk_id, tuple(sorted(audience)), cited.title, cited.uri, pieces)
