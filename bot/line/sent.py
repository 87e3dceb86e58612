"""The messages that the bot has shown on LINE, so that who quotes one is known to speak to the bot."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import redis

from bot.store import store_errors

KNOWN_S = 7 * 24 * 3600


class SentMessages:
    """Their ids, each with its chat, in the store (`line:sent:{message}`)."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store

    def note(self, message_ids: Sequence[str], conversation_id: str) -> None:
        """Remember what LINE has just shown. Best effort: the messages are there in any case."""
        with suppress(redis.RedisError), self._store.pipeline(transaction=False) as together:
            for message_id in message_ids:
                together.set(f"line:sent:{message_id}", conversation_id, ex=KNOWN_S)
            together.execute()

    def ours(self, message_id: str, conversation_id: str) -> bool:
        """Whether the message is the bot's, in this chat.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            return bool(self._store.get(f"line:sent:{message_id}") == conversation_id)
