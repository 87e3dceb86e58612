"""What is not to be said at every occasion: who says it, says it once in a while."""

from __future__ import annotations

import redis

from bot.store import store_errors, text


def is_time_for(key: str, every_s: int, control_id: str, store: redis.Redis) -> bool:
    """Whether nothing was said under this key in the store for so long; true again for the same event after a crash.

    Raises:
        StoreUnavailable
    """
    with store_errors():
        is_first = store.set(key, control_id, nx=True, ex=every_s)
        said_to = store.get(key)
    return bool(is_first) or (said_to is not None and text(said_to) == control_id)
