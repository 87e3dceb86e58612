"""Who reads a channel of Slack, where the event that came from there did not tell."""

from __future__ import annotations

import redis

from bot.slack.lookups import looked_up
from bot.slack.web import SlackClient, call


class Channels:
    """The channels of a workspace; what was looked up is known for ten minutes."""

    def __init__(self, client: SlackClient, store: redis.Redis) -> None:
        self._client = client
        self._store = store

    def is_shared(self, team: str, channel: str) -> bool:
        """Whether another company reads the channel; one that cannot be looked up may be read by anybody."""
        return looked_up(
            self._store, f"slack:shared:{team}:{channel}", lambda: self._is_shared_now(channel), unknown=True
        )

    def _is_shared_now(self, channel: str) -> bool:
        told = call(self._client.conversations_info, channel=channel).get("channel") or {}
        return told.get("is_ext_shared") is not False
