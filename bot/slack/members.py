"""Who belongs to a Slack workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis

from bot.slack.lookups import looked_up
from bot.slack.web import SlackClient, call


class Members:
    """The full members of the workspaces; who was looked up is known for ten minutes."""

    def __init__(self, client: SlackClient, store: redis.Redis) -> None:
        self._client = client
        self._store = store

    def has(self, team: str, user: str) -> bool:
        """Whether the person is a full member of the workspace; who cannot be looked up is not."""
        return looked_up(
            self._store, f"slack:member:{team}:{user}", lambda: self._is_one_now(team, user), unknown=False
        )

    def _is_one_now(self, team: str, user: str) -> bool:
        return is_full_member(call(self._client.users_info, user=user).get("user") or {}, team)


def is_full_member(profile: Mapping[str, Any], team: str) -> bool:
    """Whether a user object of users.info is a person of this workspace, and no guest."""
    outside = ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted", "is_bot")
    return profile.get("team_id") == team and not any(profile.get(flag) for flag in outside)
