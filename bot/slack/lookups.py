"""Looking up what Slack has to be asked about, and is known then for ten minutes: yes or no."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

import redis

from bot.errors import DeliveryError
from bot.store import store_errors

log = logging.getLogger(__name__)

KNOWN_S = 600


def looked_up(store: redis.Redis, key: str, ask: Callable[[], bool], *, unknown: bool) -> bool:
    """What the store knows under the key, else what Slack says to `ask`; `unknown` where it does not say.

    Raises:
        StoreUnavailable
    """
    with store_errors():
        known = store.get(key)
    if known is not None:
        return bool(known == "1")
    try:
        told = ask()
    except DeliveryError as error:
        log.warning("look-up failed", extra={"platform": "slack", "reason": str(error)})
        return unknown
    with suppress(redis.RedisError):  # a full store: it is looked up again
        store.set(key, "1" if told else "0", ex=KNOWN_S)
    return told
