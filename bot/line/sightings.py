"""Which kind of event LINE has sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXPECTED: Final[Mapping[str, str]] = {
    "message": "somebody writes to the bot alone",
    "group message": "somebody writes in a group that the bot is in",
    "postback": "a button or the rich menu is pressed",
    "follow": "somebody adds the account as a friend",
    "unfollow": "somebody blocks it: what they said is erased",
    "join": "the bot is added to a group",
    "leave": "it is taken out of one: what was said there is erased",
    "unsend": "somebody takes a message back",
    "messageEdited": "somebody edits a message in a group",
}
"""The kinds that something is done about, and when LINE sends one."""


def kind_of(event: object) -> str:
    """The event's kind as `EXPECTED` names it; nothing for any other, and for what is none."""
    if not isinstance(event, Mapping):
        return ""
    kind, source = event.get("type"), event.get("source")
    shared = isinstance(source, Mapping) and source.get("type") in ("group", "room")
    if kind == "message":
        return "group message" if shared else "message"
    return kind if isinstance(kind, str) and kind in EXPECTED else ""
