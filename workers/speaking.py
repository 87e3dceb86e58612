"""In which language the desk speaks of itself: there may be no words of the person to go by, only a press or a file."""

from __future__ import annotations

from dataclasses import replace

from bot.capabilities import KnowsLanguages
from bot.home import OPENED
from bot.messages import Command
from bot.platform import Sender
from workers.services import Clerk

SILENT = frozenset({"unfollow", "leave", OPENED})
"""Orders that are not answered: no platform need be asked about who has left. A page asks for its language itself."""


def in_their_language(event: Command, clerk: Clerk) -> Command:
    """The order in the language to answer it in: the person's choice, else its own, else the platform's, else `ja`."""
    if event.name in SILENT:
        return event
    return replace(event, language=language_for(event.user_id, event.language, clerk.senders.get(event.platform)))


def language_for(user_id: str, spoken: str, sender: Sender | None) -> str:
    """The language to speak to a person in, whose words (or what they showed) are in `spoken`, if in any."""
    return sender.language_for(user_id, spoken) if isinstance(sender, KnowsLanguages) else spoken or "ja"


def chosen(event: Command, clerk: Clerk) -> Command:
    """The order to speak `argument` from now on, noted, in that language; as it was where it names none of ours."""
    sender = clerk.senders[event.platform]
    if event.argument not in ("ja", "en"):
        return event
    if isinstance(sender, KnowsLanguages):
        sender.choose_language(event.user_id, event.argument)
    return replace(event, language=event.argument)
