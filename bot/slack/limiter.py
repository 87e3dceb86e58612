"""The pace of the calls to Slack, kept in the store for all processes together.

Slack counts the calls of each method for a workspace and an app within a minute, those of some methods for each channel
(docs.slack.dev, rate limits). Here no more are made than it allows, and none of a method that Slack wants left alone.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import redis

from bot.errors import DeliveryDeferred, StoreUnavailable
from bot.store import script, store_errors

log = logging.getLogger(__name__)

SPARED = 5
"""Of so many calls one is kept from what can be left out, for what has to be said."""
REST_S = 1.0
"""Where Slack limits and does not say for how long."""


@dataclass(frozen=True, slots=True)
class Pace:
    """So many `calls` within `within_s` seconds, a second of travel included; `of_channel`: in each channel."""

    calls: int
    within_s: float = 61.0
    of_channel: bool = False


TIER_2, TIER_3, TIER_4 = Pace(20), Pace(50), Pace(100)
PACES: Final[Mapping[str, Pace]] = {
    "chat.postMessage": Pace(10, 11.0, of_channel=True),  # about one a second, and some at once
    "chat.startStream": TIER_2,
    "chat.stopStream": TIER_2,
    "chat.appendStream": TIER_4,
    "chat.postEphemeral": TIER_4,
    "reactions.remove": TIER_2,
    "users.info": TIER_4,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "auth.test": TIER_4,
}
"""By method, as Slack's reference has them; every other one that is called here is of tier 3."""


class Limiter:
    """Says before each call whether it may be made now, to every process of this app in this workspace."""

    def __init__(self, store: redis.Redis, token: str) -> None:
        """`token`: the workspace's for this app; only a digest of it is kept."""
        self._app = sha256(token.encode()).hexdigest()[:16]
        self._store = store
        self._count = script(store, "bot", "slack_pace")
        self._rest = script(store, "bot", "slack_rest")

    def take(self, method: str, channel: str, *, spare: bool = False) -> None:
        """Count a call that is about to be made. Without the store nothing is known, and nothing stands against it.

        Args:
            spare: it can be left out, so that it is not given the last calls of a method.

        Raises:
            DeliveryDeferred: it may not be made now.
        """
        pace = PACES.get(method, TIER_3)
        most = pace.calls - pace.calls // SPARED if spare else pace.calls
        keys = [self._key("calls", method, channel), self._key("rest", method, channel)]
        try:
            with store_errors():
                wait_ms = int(self._count(keys=keys, args=[most, round(pace.within_s * 1000), uuid.uuid4().hex]))
        except StoreUnavailable:
            return
        if wait_ms > 0:
            raise DeliveryDeferred("rate limited", wait_ms / 1000)

    def rest(self, method: str, channel: str, wait_s: float | None) -> None:
        """Nobody is to call the method for so long: Slack said so."""
        rest_ms = round((wait_s or REST_S) * 1000)
        log.info("slack rests", extra={"method": method, "wait_ms": rest_ms})
        try:
            with store_errors():
                self._rest(keys=[self._key("rest", method, channel)], args=[rest_ms])
        except StoreUnavailable:
            log.warning("rest not noted", extra={"method": method})

    def _key(self, what: str, method: str, channel: str) -> str:
        of_channel = PACES.get(method, TIER_3).of_channel
        return f"slack:{what}:{self._app}:{method}" + (f":{channel}" if of_channel and channel else "")
