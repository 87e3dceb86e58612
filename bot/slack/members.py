"""Who belongs to a Slack workspace."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import redis

from bot.errors import DeliveryError
from bot.slack.web import SlackClient, call
from bot.store import store_errors

log = logging.getLogger(__name__)

MEMBERSHIP_S = 600


class Members:
    """The full members of the workspaces; who was looked up is known for ten minutes."""

    def __init__(self, client: SlackClient, store: redis.Redis) -> None:
        self._client = client
        self._store = store

    def has(self, team: str, user: str) -> bool:
        """Whether the person is a full member of the workspace; who cannot be looked up is not."""
        key = f"slack:member:{team}:{user}"
        with store_errors():
            known = self._store.get(key)
        if known is not None:
            return bool(known == "1")
        try:
            profile = call(self._client.users_info, user=user).get("user") or {}
        except DeliveryError as error:
            log.warning("membership unknown", extra={"platform": "slack", "reason": str(error)})
            return False
        member = is_full_member(profile, team)
        with suppress(redis.RedisError):  # a full store: it is looked up again
            self._store.set(key, "1" if member else "0", ex=MEMBERSHIP_S)
        return member


def is_full_member(profile: Mapping[str, Any], team: str) -> bool:
    """Whether a user object of users.info is a person of this workspace, and no guest."""
    outside = ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted", "is_bot")
    return profile.get("team_id") == team and not any(profile.get(flag) for flag in outside)
