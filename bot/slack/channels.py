"""Who reads a channel of Slack, where the event that came from there did not tell."""

from __future__ import annotations

import logging
from contextlib import suppress

import redis

from bot.errors import DeliveryError
from bot.slack.web import SlackClient, call
from bot.store import store_errors

log = logging.getLogger(__name__)

KNOWN_S = 600


class Channels:
    """The channels of a workspace; what was looked up is known for ten minutes."""

    def __init__(self, client: SlackClient, store: redis.Redis) -> None:
        self._client = client
        self._store = store

    def is_shared(self, team: str, channel: str) -> bool:
        """Whether another company reads the channel; one that cannot be looked up may be read by anybody."""
        key = f"slack:shared:{team}:{channel}"
        with store_errors():
            known = self._store.get(key)
        if known is not None:
            return bool(known == "1")
        try:
            told = call(self._client.conversations_info, channel=channel).get("channel") or {}
        except DeliveryError as error:
            log.warning("channel unknown", extra={"platform": "slack", "reason": str(error)})
            return True
        shared = told.get("is_ext_shared") is not False
        with suppress(redis.RedisError):  # a full store: it is looked up again
            self._store.set(key, "1" if shared else "0", ex=KNOWN_S)
        return shared
