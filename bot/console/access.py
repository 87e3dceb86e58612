"""Who may use the console: the token, the sessions it opens, and the requests that come from our own page."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection, Mapping
from ipaddress import ip_address

from pydantic import SecretStr

from bot.errors import BadRequest, SettingsIncomplete

COOKIE = "madoguchi_console"
_PORT = re.compile(r":\d{1,5}\Z")


class Sessions:
    """Sessions as signed cookies: who has one has shown the token once. A new token ends them all.

    Raises:
        SettingsIncomplete: the token is empty, which would let everybody in.
    """

    def __init__(self, token: SecretStr) -> None:
        if not token.get_secret_value():
            raise SettingsIncomplete("CONSOLE_TOKEN missing")
        self._token = token.get_secret_value().encode()

    def admits(self, token: str) -> bool:
        """Whether it is the token, in a time that tells nothing."""
        return hmac.compare_digest(token.encode(), self._token)

    def cookie(self, session: str) -> str:
        """The cookie of a session."""
        return f"{session}.{self._signature(session)}"

    def session(self, cookie: str) -> str | None:
        """The session whose cookie it is, or None."""
        session, _, signature = cookie.partition(".")
        return session if hmac.compare_digest(signature.encode(), self._signature(session).encode()) else None

    def _signature(self, session: str) -> str:
        return hmac.digest(self._token, b"console session " + session.encode(), "sha256").hex()


def new_session() -> str:
    """An id that nobody guesses: 128 random bits."""
    return secrets.token_hex(16)


def check_host(host: str, names: Collection[str]) -> None:
    """Refuse a Host header that is a name which is not ours.

    Any name can be made to resolve to this machine (DNS rebinding), and a page under it then counts as our own.
    An address cannot.

    Raises:
        BadRequest: 421.
    """
    name = _PORT.sub("", host).lower()
    if name != "localhost" and name not in names and not _is_address(name):
        raise BadRequest(421, "unknown host")


def check_origin(headers: Mapping[str, str]) -> None:
    """Refuse a post that another site's page makes; browsers say where a post comes from, other clients say nothing.

    Raises:
        BadRequest: 400.
    """
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise BadRequest(400, "cross-origin")
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        raise BadRequest(400, "cross-origin")


def _is_address(name: str) -> bool:
    try:
        ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
    except ValueError:
        return False
    return True
