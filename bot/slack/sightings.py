"""Which kinds of events Slack has sent, and when last: Slack does not tell a bot what its app is subscribed to."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final

import redis

from bot.messages import JSONObject
from bot.slack.scopes import EVENTS
from bot.slack.shapes import part
from bot.store import store_errors, text

KEY = "slack:seen"
AGAIN_AFTER_S = 600.0
_KINDS: Final = {"im": "message.im", "channel": "message.channels", "group": "message.groups", "mpim": "message.mpim"}


class Sightings:
    """Notes kinds, each once in a while, so that webhooks do not wait for the disk for it."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._noted: dict[str, float] = {}

    def note(self, payload: JSONObject) -> None:
        """Note what kind this is of. Best effort."""
        kind, now = kind_of(payload), time.time()
        if not kind or now - self._noted.get(kind, 0.0) < AGAIN_AFTER_S:
            return
        self._noted[kind] = now
        with suppress(redis.RedisError):
            self._store.hset(KEY, kind, str(round(now)))

    def all(self) -> dict[str, float]:
        """By kind when it was last noted, seconds since the epoch.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            return {text(kind): float(at) for kind, at in self._store.hgetall(KEY).items()}


def kind_of(payload: JSONObject) -> str:
    """The event as Slack's settings name it (`message.im`), `interaction` or `command`; nothing for any other."""
    event = part(payload, "event")
    kind, place = event.get("type"), event.get("channel_type")
    if kind == "message":
        return _KINDS.get(place, "") if isinstance(place, str) else ""
    if isinstance(kind, str):
        return kind if kind in EVENTS else ""
    if "command" in payload:
        return "command"
    return "interaction" if payload.get("type") in ("block_actions", "view_submission", "message_action") else ""
