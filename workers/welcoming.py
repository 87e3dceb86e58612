"""What the desk says of itself where nothing was asked: on joining a group, and of what it cannot read."""

from __future__ import annotations

from typing import Final

from bot.messages import Command
from workers.phrases import SUGGESTIONS, phrase
from workers.seldom import is_time_for
from workers.services import Clerk

TELL_UNREADABLE_EVERY_S = 600
"""Who sends twenty pictures is told once."""
KINDS: Final = frozenset({"sticker", "image", "video", "audio", "location"})


def greeting(_: str, event: Command, __: Clerk) -> str:
    """How a group calls the desk: by a mention, by quoting it, and by the call word that the platform told, if any."""
    by_word = phrase("greeting_call_word", event.language, word=event.argument) if event.argument else ""
    return phrase("greeting", event.language, by_word=by_word)


def what_it_can_do(_: str, event: Command, clerk: Clerk) -> str:
    """What people can say; to an administrator, where their words are orders (alone on LINE), these too."""
    names = ["help"]
    if event.user_id == event.conversation_id and event.user_id in clerk.access.admins:
        names += ["admin_help", "admin_help_access"]
    return "\n\n".join(phrase(name, event.language) for name in names)


def what_to_ask(_: str, event: Command, clerk: Clerk) -> str:
    """An invitation to ask, with an example: the first of what the operator suggests, else one of ours."""
    suggested = clerk.policy.of(frozenset({event.conversation_id})).suggested_prompts or SUGGESTIONS[event.language]
    return phrase("ask", event.language, example=suggested[0])


def what_can_be_read(control_id: str, event: Command, clerk: Clerk) -> str:
    """That this kind of message cannot be read, and what can be; empty when the chat was told just now."""
    kind = event.argument if event.argument in KINDS else "other"
    told = f"unread:{event.conversation_id}"
    if not is_time_for(told, TELL_UNREADABLE_EVERY_S, control_id, clerk.store):
        return ""
    return phrase("cannot_read", event.language, what=phrase(f"kind_{kind}", event.language))
