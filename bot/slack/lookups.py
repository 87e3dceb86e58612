"""Looking up what Slack has to be asked about, and is known then for ten minutes: yes or no."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

import redis

from bot.errors import DeliveryDeferred, DeliveryError
from bot.store import store_errors

log = logging.getLogger(__name__)

KNOWN_S = 600
PATIENCE_S = 5.0
"""Somebody waits for an answer: rather this long than with an answer made for who is not known."""


def looked_up(store: redis.Redis, key: str, ask: Callable[[], bool], *, unknown: bool) -> bool:
    """What the store knows under the key, else what Slack says to `ask`; `unknown` where it does not say.

    A call that Slack wants later is made again when that is within PATIENCE_S. So it is not for the web process.

    Raises:
        StoreUnavailable
    """
    with store_errors():
        known = store.get(key)
    if known is not None:
        return bool(known == "1")
    try:
        told = _when_allowed(ask)
    except DeliveryError as error:
        log.warning("look-up failed", extra={"platform": "slack", "reason": str(error)})
        return unknown
    with suppress(redis.RedisError):  # a full store: it is looked up again
        store.set(key, "1" if told else "0", ex=KNOWN_S)
    return told


def _when_allowed(ask: Callable[[], bool]) -> bool:
    """What Slack says, once it may be asked.

    Raises:
        DeliveryError: it does not say, or may not be asked within PATIENCE_S.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return ask()
        except DeliveryDeferred as deferred:
            # Without a time it is not Slack that asked to wait: it is out of reach.
            if deferred.retry_after_s is None or time.monotonic() + deferred.retry_after_s > until:
                raise
            time.sleep(deferred.retry_after_s)
