"""Links to the pages of cited passages, signed and with an end. Pure.

A link's token is `name.end.signature`. The name is a hash of the chunk and of the place that it was cited to, the end
is in seconds since the epoch, and the signature over both is HMAC-SHA256: who changes anything has no link any more.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

PATH = "/passages/"
ANCHOR = "#cited"
"""Where on the page the passage itself begins."""

_TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says, true or not: the page's name, when the link ends, and who is said to have made it."""

    name: str
    ends_at: int
    signature: str

    def is_signed(self, key: str) -> bool:
        """Whether the key has signed it, in a time that tells nothing."""
        return hmac.compare_digest(self.signature, _signature(self.name, self.ends_at, key))


NOBODYS = Link("0" * 32, 0, "")
"""What stands for a text that is no token, so that it is looked up and refused as a forged one is."""


def page_name(chunk_id: str, labels: Iterable[str]) -> str:
    """The name of the page that shows a chunk to a place with these labels."""
    return sha256(json.dumps([chunk_id, sorted(labels)]).encode()).hexdigest()[:32]


def address(token: str) -> str:
    """Where a token's page is, below the address of the web process."""
    return f"{PATH}{token}{ANCHOR}"


def token(name: str, ends_at: int, key: str) -> str:
    """The token of a link to this page."""
    return f"{name}.{ends_at}.{_signature(name, ends_at, key)}"


def read(text: str) -> Link:
    """What the text says as a token; NOBODYS when it is none."""
    found = _TOKEN.fullmatch(text)
    return Link(found[1], int(found[2]), found[3]) if found else NOBODYS


def _signature(name: str, ends_at: int, key: str) -> str:
    signed = hmac.digest(key.encode(), f"passage {name} {ends_at}".encode(), "sha256")
    return urlsafe_b64encode(signed).decode().rstrip("=")
