"""Who may use the bot where anybody can reach it: an allow list that codes of admins open.

Keys in the store: `admitted` (set of people and groups), `invite:{code}` (lives a day), `tries:{who}` (lives an hour).
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Literal

import redis

from bot.store import script, store_errors, text

INVITE_S = 24 * 3600
TRIES_PER_HOUR = 10
"""With 40 bits a code, guessing one of ten open codes at this rate takes a million years."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_CHARS = 8
_LOOKALIKES = str.maketrans("OIL", "011")
"""Crockford's base 32: no I, L, O or U in a code, and who types one of the first three means a digit."""


class Access:
    """The people and groups that are let in, as `line:U…` and `line:C…`."""

    def __init__(self, store: redis.Redis, mode: Literal["pairing", "open"], admins: frozenset[str]) -> None:
        self._store = store
        self._open = mode == "open"
        self.admins = admins
        self._redeem = script(store, "bot", "redeem")

    def admits(self, who: str) -> bool:
        """Whether this person or group may use the bot.

        Raises:
            StoreUnavailable
        """
        if self._open or who in self.admins:
            return True
        with store_errors():
            return bool(self._store.sismember("admitted", who))

    def invite(self) -> str:
        """A new code that lets in one person or group within a day, for people to type (`7K3M-QX9D`).

        Raises:
            StoreUnavailable
        """
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_CHARS))
        with store_errors():
            self._store.set(f"invite:{code}", "1", ex=INVITE_S)
        return f"{code[:4]}-{code[4:]}"

    def redeem(self, code: str, who: str) -> bool:
        """Let `who` in if the text is an open code, and spend it; after ten tries in an hour even a right one fails.

        Raises:
            StoreUnavailable
        """
        if not looks_like_code(code):
            return False
        with store_errors():
            outcome = self._redeem(
                keys=[f"tries:{who}", f"invite:{_plain(code)}", "admitted"], args=[who, TRIES_PER_HOUR, 3600]
            )
        return bool(outcome)

    def admitted(self) -> list[str]:
        """Who was let in by a code.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            return sorted(map(text, self._store.smembers("admitted")))

    def revoke(self, who: str) -> bool:
        """Let `who` in no longer, and whether a code had let them in; an admin stays in.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            return bool(self._store.srem("admitted", who))


def looks_like_code(text: str) -> bool:
    """Whether the text has the form of a code, open or not."""
    return len(_plain(text)) == _CODE_CHARS


def _plain(code: str) -> str:
    """The letters and digits of what was typed: width, case, hyphens of any kind and words around it in kana go."""
    upright = unicodedata.normalize("NFKC", code).upper()
    return re.sub(r"[^0-9A-Z]", "", upright).translate(_LOOKALIKES)
