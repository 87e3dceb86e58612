"""Which kind of event Slack has sent, as its settings name them."""

from __future__ import annotations

from typing import Final

from bot.messages import JSONObject
from bot.slack.scopes import EVENTS
from bot.slack.shapes import part

_KINDS: Final = {"im": "message.im", "channel": "message.channels", "group": "message.groups", "mpim": "message.mpim"}


def kind_of(payload: JSONObject) -> str:
    """The event as Slack's settings name it (`message.im`), `interaction` or `command`; nothing for any other."""
    event = part(payload, "event")
    kind, place = event.get("type"), event.get("channel_type")
    if kind == "message":
        return _KINDS.get(place, "") if isinstance(place, str) else ""
    if isinstance(kind, str):
        return kind if kind in EVENTS else ""
    if "command" in payload:
        return "command"
    return "interaction" if payload.get("type") in ("block_actions", "view_submission", "message_action") else ""
