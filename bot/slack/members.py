"""Who belongs to a Slack workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_full_member(profile: Mapping[str, Any], team: str) -> bool:
    """Whether a user object of users.info is a person of this workspace, and no guest."""
    outside = ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted", "is_bot")
    return profile.get("team_id") == team and not any(profile.get(flag) for flag in outside)
