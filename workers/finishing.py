"""An answer is seen a moment before it is remembered: who presses something under it within that moment waits."""

from __future__ import annotations

import json

import redis

from bot.errors import DeliveryDeferred
from bot.store import store_errors, text

SOON_S = 0.5


def wait_until_finished(conversation_id: str, message_id: str, store: redis.Redis) -> None:
    """Return unless the answer to this message is still being delivered.

    Raises:
        DeliveryDeferred: it is; what was pressed is to be carried out again soon.
    """
    with store_errors():
        ids = store.hget(f"batch:{conversation_id}", "ids")
    if ids and message_id in json.loads(text(ids)):
        raise DeliveryDeferred("the answer is being finished", SOON_S)
