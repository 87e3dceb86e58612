"""The bot is shut out: the app is uninstalled, its bot's token is revoked, it leaves a channel, or that goes. Pure.

An archived channel can still be read by who was in it, and be taken up again: nothing is erased of it before its time.
"""

from __future__ import annotations

import time

from bot.messages import Command, JSONObject
from bot.slack.shapes import id_of, part, team_of

LEAVE = "leave"


def parse_uninstalled(envelope: JSONObject) -> tuple[Command, str] | None:
    """The end of everything in a workspace, when the app is uninstalled."""
    return _left(envelope, "")


def parse_revoked(envelope: JSONObject) -> tuple[Command, str] | None:
    """The same, when a bot's token is revoked; people's tokens (`oauth`) are none of ours."""
    bots = part(part(envelope, "event"), "tokens").get("bot")
    return _left(envelope, "") if isinstance(bots, list) and bots else None


def parse_channel_gone(envelope: JSONObject) -> tuple[Command, str] | None:
    """The end of a channel: deleted, or the bot is in it no more."""
    channel = id_of(part(envelope, "event").get("channel"))
    return _left(envelope, channel) if channel else None


def _left(envelope: JSONObject, channel: str) -> tuple[Command, str] | None:
    team, event_id = team_of(envelope), id_of(envelope.get("event_id"))
    if not team or not event_id:
        return None
    place = f"slack:{team}:{channel}" if channel else f"slack:{team}"
    return Command("slack", place, "slack:", LEAVE, "", "", time.time(), {}), f"slack:{event_id}"
