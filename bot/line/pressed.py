"""Buttons that are pressed: those under what the bot has shown in a chat, and those of the menu below it. Pure.

What a button of somebody else's carries is nothing to us; the operator may have made a menu of their own.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.line.envelope import Envelope, an_object
from bot.line.postback import Postback
from bot.messages import Action, Command
from bot.votes import VOTE, Ballot

LANGUAGES = ("ja", "en")


def pressed(event: Envelope) -> Command | Action | None:
    """What a pressed button asks for; None when it is none of ours, or one from another chat.

    Raises:
        OddEvent
    """
    data = an_object(event.rest.get("postback")).get("data")
    button = Postback.read(data) if isinstance(data, str) else None
    reads = _ACTIONS.get(button.action) if button else None
    return reads(event, button) if reads and button and button.language in LANGUAGES else None


def _collect(event: Envelope, button: Postback) -> Command | None:
    is_of_here = button.message_id and button.conversation_id == event.conversation_id
    return event.command("collect", button.message_id, button.language) if is_of_here else None


def _vote(event: Envelope, button: Postback) -> Action | None:
    ballot = Ballot.read(f"{button.value} {button.message_id}")
    if ballot is None or button.conversation_id != event.conversation_id:
        return None
    return Action(
        **event.who,
        name=VOTE,
        value=ballot.to_text(),
        sent_at=event.sent_at,
        reply_to=event.reply_to(),
        language=button.language,
    )


def _menu(event: Envelope, button: Postback) -> Command | None:
    """An item of the rich menu, which is the same for everybody and knows no chat."""
    if button.value == "language":
        return event.command("language", button.language, button.language)
    return event.command(button.value, "", button.language) if button.value in ("ask", "reset", "help") else None


_ACTIONS: dict[str, Callable[[Envelope, Postback], Command | Action | None]] = {
    "collect": _collect,
    "vote": _vote,
    "menu": _menu,
}
