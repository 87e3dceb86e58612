"""The shelf: the cited passages that links lead to, in the store for as long as their links live."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import redis
from pydantic import TypeAdapter, ValidationError

from bot.errors import LinkEnded, LinkUnknown
from bot.passages import links
from bot.store import store_errors, text

LIFE_S = 7 * 24 * 3600
"""Of a link and of what it shows. Another citation at the same place makes a new link and keeps the page longer."""

MAX_PAGES = 20_000
"""About 40 MB, and 15 seconds to look through; beyond it the page that was cited longest ago goes."""

MAX_TITLE_CHARS = 300
MAX_TEXT_CHARS = 8_000
"""A chunk has a few hundred; a table's header, repeated in each of its chunks, may be longer."""

_KEY = "passages:key"
_ENDS = "passages"
_PAGE = "passage:"


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk as it stands in its document: the headings above it, its text, and whether it is the cited one."""

    heading: str
    text: str
    cited: bool


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """What a page shows: a chunk with what stands around it in its document, as the labels of a place may read it."""

    chunk_id: str
    labels: tuple[str, ...]
    title: str
    uri: str
    pieces: tuple[Piece, ...]

    @property
    def name(self) -> str:
        """The name of its page: the same chunk at the same place has the same."""
        return links.page_name(self.chunk_id, self.labels)

    def bounded(self) -> CitedPassage:
        """The passage in a size that a page can have, whatever the document is."""
        pieces = tuple(
            Piece(_cut(piece.heading, MAX_TITLE_CHARS), _cut(piece.text, MAX_TEXT_CHARS), piece.cited)
            for piece in self.pieces
        )
        title, uri = _cut(self.title, MAX_TITLE_CHARS), _cut(self.uri, MAX_TITLE_CHARS)
        return replace(self, title=title, uri=uri, pieces=pieces)


_RECORD = TypeAdapter(CitedPassage)


class Shelf:
    """Cited passages in the store, and the key that signs the links to them, which lives there too."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store

    def keep(self, passage: CitedPassage) -> str:
        """Keep a passage for LIFE_S from now; the token of a link to it.

        Raises:
            StoreUnavailable
        """
        now = int(time.time())
        with store_errors(), self._store.pipeline() as step:
            step.set(f"{_PAGE}{passage.name}", _RECORD.dump_json(passage.bounded()), ex=LIFE_S)
            step.zremrangebyscore(_ENDS, "-inf", now)
            step.zadd(_ENDS, {passage.name: now + LIFE_S})
            step.expire(_ENDS, LIFE_S)
            step.zrange(_ENDS, 0, -MAX_PAGES - 1)
            step.set(_KEY, secrets.token_hex(32), nx=True)
            step.get(_KEY)
            *_, beyond, _, key = step.execute()
        for name in beyond:
            self.drop(name)
        return links.token(passage.name, now + LIFE_S, text(key))

    def open(self, token: str) -> tuple[CitedPassage, int]:
        """What a link leads to, and when the link ends.

        Whatever the token is, the same is done before it is refused: the time tells nothing.

        Raises:
            LinkUnknown: it is not ours.
            LinkEnded: it has lived its time, or the passage may not be read there any more.
            StoreUnavailable
        """
        link = links.read(token)
        with store_errors():
            key, record = self._store.mget([_KEY, f"{_PAGE}{link.name}"])
        if not link.is_signed(text(key) if key else secrets.token_hex(32)):
            raise LinkUnknown("not a link of ours")
        passage = _readable(record) if link.ends_at > time.time() else None
        if passage is None:
            raise LinkEnded("a link that has ended")
        return passage, link.ends_at

    def kept(self) -> Iterator[tuple[str, CitedPassage | None]]:
        """The name of every page that is kept, and what it shows; None where that cannot be read.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            names: Any = self._store.zrange(_ENDS, 0, -1)
        for name in names:
            with store_errors():
                record: Any = self._store.get(f"{_PAGE}{name}")
            if record is not None:
                yield name, _readable(record)

    def renew(self, passage: CitedPassage) -> None:
        """Have the page of this passage show what it says now; its life stays as it was.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            self._store.set(f"{_PAGE}{passage.name}", _RECORD.dump_json(passage.bounded()), keepttl=True, xx=True)

    def drop(self, name: str) -> None:
        """Have a page show nothing any more.

        Raises:
            StoreUnavailable
        """
        with store_errors(), self._store.pipeline() as step:
            step.delete(f"{_PAGE}{name}")
            step.zrem(_ENDS, name)
            step.execute()


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _readable(record: str | bytes | None) -> CitedPassage | None:
    """The passage of a record; None when there is none, or another version wrote it."""
    try:
        return _RECORD.validate_json(record) if record else None
    except ValidationError:
        return None
