"""What LINE tells of people and groups, and the language that somebody wished for.

Keys: `line_profile:{who}` (a name and a language as JSON, for a day; nothing of either, for ten minutes) and
`line_language:{user}` (`ja` or `en`, as wished). Both go with the person; a group's name goes when the bot leaves it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import redis

from bot.errors import DeliveryError
from bot.line.api import LineApi
from bot.messages import Record, UnreadableRecord
from bot.sanitise import visible
from bot.store import REMEMBERED_S, store_errors, text

log = logging.getLogger(__name__)

KNOWN_S = 24 * 3600
UNKNOWN_S = 600
"""Who is not told of may become a friend, and a LINE that is away comes back."""
MOST_NAME_CHARS = 60
_PATHS = {"U": "/v2/bot/profile/{}", "C": "/v2/bot/group/{}/summary"}
"""By the first letter of an id; a room has no name. What a group tells of its members has no language."""


@dataclass(frozen=True, slots=True)
class Profile(Record):
    """A person or group: what it is called, on one line, and which of our languages it reads; empty what is unknown."""

    name: str = ""
    language: str = ""


UNKNOWN = Profile()


class Profiles:
    """Looks people and groups up, who are given as `line:U…` and `line:C…`; every method may raise StoreUnavailable."""

    def __init__(self, api: LineApi, store: redis.Redis) -> None:
        self._api = api
        self._store = store

    def language(self, user_id: str, spoken: str) -> str:
        """The language to speak to a person in, `ja` or `en`: the one wished for, else `spoken`, else their LINE's."""
        with store_errors():
            wished: Any = self._store.get(f"line_language:{user_id}")
        return (text(wished) if wished else spoken) or self.of(user_id).language or "ja"

    def wish(self, user_id: str, language: str) -> None:
        """From now on that is the language to speak to the person in."""
        with store_errors():
            self._store.set(f"line_language:{user_id}", language, ex=REMEMBERED_S)

    def of(self, who: str) -> Profile:
        """The profile as it was within the day; UNKNOWN where LINE does not tell (blocked, no friend, or just away)."""
        key = f"line_profile:{who}"
        with store_errors():
            stored = self._store.get(key)
        if stored is not None:
            with suppress(UnreadableRecord):  # of a newer version: it is looked up again
                return Profile.from_json(stored)
        profile = self._looked_up(who.removeprefix("line:"))
        with suppress(redis.RedisError):  # a full store: it is looked up again
            self._store.set(key, profile.to_json(), ex=KNOWN_S if profile != UNKNOWN else UNKNOWN_S)
        return profile

    def forget(self, user_id: str) -> None:
        """Erase what is known of a person."""
        with store_errors():
            self._store.delete(f"line_profile:{user_id}", f"line_language:{user_id}")

    def _looked_up(self, line_id: str) -> Profile:
        path = _PATHS.get(line_id[:1])
        if path is None:
            return UNKNOWN
        try:
            return _profile(self._api.get(path.format(quote(line_id, safe=""))))
        except DeliveryError as error:
            log.info("profile unknown", extra={"platform": "line", "reason": str(error)})
            return UNKNOWN


def _profile(told: Mapping[str, Any]) -> Profile:
    name, tag = told.get("displayName", told.get("groupName")), told.get("language")
    # JSON may hold half a surrogate pair, which no store can.
    plain = name.encode("utf-8", "ignore").decode() if isinstance(name, str) else ""
    return Profile(" ".join(visible(plain).split())[:MOST_NAME_CHARS], _language(tag))


def _language(tag: object) -> str:
    """A BCP 47 tag as one of our two languages; empty where there is none."""
    if not isinstance(tag, str) or not tag:
        return ""
    return "ja" if tag.lower().split("-")[0] == "ja" else "en"
