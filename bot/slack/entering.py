"""Whether the bot is where somebody asks about a message, and who reads the answer there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.capabilities import Entrance
from bot.errors import DeliveryDeferred, DeliveryFailed, DeliveryUnknown
from bot.slack.web import SlackClient, call

AGAIN_S = 2.0
_HERE_ALONE = ("message_id", "author", "response_url", "private")


def entered(client: SlackClient, where: Mapping[str, Any]) -> Entrance | None:
    """The chosen message at `where`; see `Enters`.

    Raises:
        DeliveryDeferred
    """
    try:
        told = call(client.conversations_info, channel=where["channel"]).get("channel") or {}
    except DeliveryUnknown as error:
        raise DeliveryDeferred("outcome unknown", AGAIN_S) from error
    except DeliveryFailed:  # a private channel or a conversation of others
        return None
    if not (told.get("is_member") or told.get("is_im")):
        return None
    reply_to = {name: value for name, value in where.items() if name not in _HERE_ALONE}
    reply_to["ext_shared"] = told.get("is_ext_shared") is not False and not told.get("is_im")
    return Entrance(where["message_id"], reply_to, where.get("author", ""))
