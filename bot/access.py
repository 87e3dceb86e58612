"""Who may use the bot where anybody can reach it: who an administrator lets in, by name or by a code.

Keys in the store: `admitted` and `allowed` (sets of people and groups, let in by a code and by name), `invite:{code}`
(lives a day), `tries:{who}` (lives an hour).
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Literal

import redis

from bot.settings import BotSettings
from bot.store import script, store_errors, text

INVITE_S = 24 * 3600
TRIES_PER_HOUR = 10
"""With nearly 40 bits a code, guessing one of ten open codes at this rate takes a million years."""

Mode = Literal["pairing", "allowlist", "open"]
Redeemed = Literal["let in", "no code", "wrong", "too many"]

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_CHARS = 8
_LOOKALIKES = str.maketrans("OIL", "011")
"""Crockford's base 32: no I, L, O or U in a code, and who types one of the first three means a digit."""
_MOST_CHARS = 1_000
"""Nobody writes more around a code."""
_SPOKEN_CODE = re.compile(r"(?<![0-9A-Z])(?<![0-9A-Z][-‐-―−ー])([0-9A-Z]{4})[-‐-―−ー]?([0-9A-Z]{4})(?![0-9A-Z])")
_EIGHT = re.compile(r"[0-9A-Z]{8}")
_PUNCTUATION = re.compile(r"[\W_ー]+")
_DIGIT = re.compile(r"[2-9]")
"""Every code has one, so that no word is taken for a code. 0 and 1 may be typed as letters."""
_OUTCOMES: dict[int, Redeemed] = {1: "let in", 0: "wrong", -1: "too many"}


class Access:
    """The people and groups that are let in, as `line:U…`, `line:C…` and `line:R…`; a group is let in as a whole.

    Args:
        mode: `pairing` lets in by codes and by name, `allowlist` by name only, `open` everybody.
        admins: the people who may let in others; they are in.
        allowed: whom the settings let in.
    """

    def __init__(
        self, store: redis.Redis, mode: Mode, admins: frozenset[str], allowed: frozenset[str] = frozenset()
    ) -> None:
        self._store = store
        self._mode = mode
        self.admins = admins
        self._allowed = allowed
        self._redeem = script(store, "bot", "redeem")

    @classmethod
    def of(cls, settings: BotSettings, store: redis.Redis) -> Access:
        """What the settings say."""
        return cls(store, settings.line_access, settings.admins, settings.line_allowed_ids)

    @property
    def is_open(self) -> bool:
        """Whether everybody is let in."""
        return self._mode == "open"

    @property
    def takes_codes(self) -> bool:
        """Whether a code lets in who would be out without it."""
        return self._mode == "pairing"

    def admits(self, who: str) -> bool:
        """Whether this person or group may use the bot.

        Raises:
            StoreUnavailable
        """
        if self.is_open or who in self.admins | self._allowed:
            return True
        with store_errors():
            by_name = self._store.sismember("allowed", who)
            return bool(by_name or (self.takes_codes and self._store.sismember("admitted", who)))

    def invite(self) -> str:
        """A new code that lets in one person or group within a day, for people to type (`7K3M-QX9D`).

        Raises:
            StoreUnavailable
        """
        code = _random_code()
        with store_errors():
            self._store.set(f"invite:{code}", "1", ex=INVITE_S)
        return f"{code[:4]}-{code[4:]}"

    def redeem(self, words: str, who: str) -> Redeemed:
        """Let `who` in if there is an open code in the words, and spend it; after ten tries in an hour none works.

        Raises:
            StoreUnavailable
        """
        code = code_in(words)
        if not code or not self.takes_codes:
            return "no code"
        with store_errors():
            outcome = self._redeem(
                keys=[f"tries:{who}", f"invite:{code}", "admitted"], args=[who, TRIES_PER_HOUR, 3600]
            )
        return _OUTCOMES[int(outcome)]

    def allow(self, who: str) -> None:
        """Let `who` in by name.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            self._store.sadd("allowed", who)

    def admitted(self) -> list[str]:
        """Who is let in: by the settings, by name or, where codes count, by a code; without the administrators.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            stored = self._store.sunion(["allowed", "admitted"] if self.takes_codes else ["allowed"])
        return sorted(self._allowed.union(map(text, stored)))

    def revoke(self, who: str) -> bool:
        """Let `who` in no longer, and whether a code or their name had; who is in by the settings stays in.

        Raises:
            StoreUnavailable
        """
        with store_errors(), self._store.pipeline() as pipeline:
            pipeline.srem("allowed", who)
            pipeline.srem("admitted", who)
            return any(pipeline.execute())


def code_in(words: str) -> str:
    """What has the form of a code in the words, open or not, as codes are stored; empty when nothing has.

    Width, case and the kind of hyphen do not matter. In a sentence nothing but that hyphen may be within the code.
    """
    upright = _upright(words)
    found = [_alone(upright)] if is_code(words) else map("".join, _SPOKEN_CODE.findall(upright))
    return next((code.translate(_LOOKALIKES) for code in found if _DIGIT.search(code)), "")


def is_code(words: str) -> bool:
    """Whether the words are nothing but what has the form of a code."""
    letters = _alone(_upright(words))
    return bool(_EIGHT.fullmatch(letters) and _DIGIT.search(letters))


def _upright(words: str) -> str:
    return unicodedata.normalize("NFKC", words[:_MOST_CHARS]).upper()


def _alone(upright: str) -> str:
    return _PUNCTUATION.sub("", upright)


def _random_code() -> str:
    while not _DIGIT.search(code := "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_CHARS))):
        pass
    return code
