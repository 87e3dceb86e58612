"""In which language the desk answers an order: there may be no words of the person to go by, only a press."""

from __future__ import annotations

from dataclasses import replace

from bot.capabilities import KnowsLanguages
from bot.messages import Command
from workers.services import Clerk


def in_their_language(event: Command, clerk: Clerk) -> Command:
    """The order in the language to answer it in: the person's choice, else its own, else the platform's, else `ja`."""
    sender = clerk.senders.get(event.platform)
    if isinstance(sender, KnowsLanguages):
        return replace(event, language=sender.language_for(event.user_id, event.language))
    return replace(event, language=event.language or "ja")


def chosen(event: Command, clerk: Clerk) -> Command:
    """The order to speak `argument` from now on, noted, in that language; as it was where it names none of ours."""
    sender = clerk.senders[event.platform]
    if event.argument not in ("ja", "en"):
        return event
    if isinstance(sender, KnowsLanguages):
        sender.choose_language(event.user_id, event.argument)
    return replace(event, language=event.argument)
