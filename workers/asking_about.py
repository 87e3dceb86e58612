"""A message that somebody chose to ask about becomes their question, answered where it stands."""

from __future__ import annotations

from bot.capabilities import Enters, Whispers
from bot.inbox import Accepted, Inbox
from bot.messages import Action, Message
from workers.phrases import phrase
from workers.services import Clerk


def ask_about(control_id: str, event: Action, clerk: Clerk) -> None:
    """Ask it, or tell who chose it why not.

    Raises:
        DeliveryDeferred, StoreUnavailable: it is to be tried again.
    """
    sender = clerk.senders[event.platform]
    if not isinstance(sender, Enters):
        return
    entrance = sender.entered(event.reply_to)
    if entrance is None:
        _tell("not_there", event, clerk)
        return
    where = (event.conversation_id, event.user_id)
    message = Message(entrance.message_id, event.platform, *where, event.value, event.sent_at, entrance.reply_to)
    outcome = Inbox(clerk.store, clerk.hints).accept(message, f"{control_id}:asked")
    if outcome is Accepted.KNOWN:
        _tell("asked_already", event, clerk)


def _tell(name: str, event: Action, clerk: Clerk) -> None:
    sender = clerk.senders[event.platform]
    if isinstance(sender, Whispers):
        sender.whisper(event.reply_to, phrase(name, event.language))
