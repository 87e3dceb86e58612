"""A page as a server gave it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from knowledge.web.exchange import Answer

_DECLARATION = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]*>")
HTML = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class Page:
    """What was fetched from an address.

    Args:
        address: the last one, after redirects.
        media_type: without its parameters.
        charset: as the server names it; may be empty.
        etag, modified: for asking whether it has changed; may be empty.
        robots: what the server says to robots, lower case; may be empty.
    """

    address: str
    media_type: str
    charset: str
    etag: str
    modified: str
    robots: str
    content: bytes

    @classmethod
    def of(cls, address: str, answer: Answer) -> Self:
        """The page in an answer."""
        headers = answer.headers
        return cls(
            address=address,
            media_type=answer.media_type,
            charset=answer.charset,
            etag=headers.get("etag", ""),
            modified=headers.get("last-modified", ""),
            robots=headers.get("x-robots-tag", "").lower(),
            content=answer.content,
        )

    @property
    def markup(self) -> bytes:
        """The content of an HTML page, without the declaration that it is XML, which few such pages are."""
        return _DECLARATION.sub(b"", self.content, count=1)

    @property
    def conditions(self) -> dict[str, str]:
        """The headers of a request for this page only if it has changed."""
        conditions = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in conditions.items() if value}
