"""What of LINE is taken in: everything from who is let in, and from everybody else a wish to be."""

from __future__ import annotations

from bot.access import Access, code_in, is_code
from bot.line.access_words import access_order
from bot.line.events import Ours
from bot.messages import Action, Command, Deletion, Edit, Message
from bot.words import language

_IN_A_GROUP = ("allow", "revoke")
"""Said there they are about the group."""


def at_the_door(ours: Ours, access: Access) -> Ours | None:
    """The event as it is taken in. Of what is said by who is not let in no words are left but a code's.

    None for a vote of theirs.

    In 1:1 the conversation is the person; a group is let in as a whole, whoever speaks.

    Raises:
        StoreUnavailable
    """
    match ours:
        case Deletion() | Command(name="unfollow" | "forget" | "leave"):
            return ours  # who is no longer let in may still take back and erase
        case Message() if order := _about_access(ours, access.admins):
            return _command("admin", order, language(ours.text.split()[0]), ours)  # an id would be Latin for everybody
        case _ if access.admits(ours.conversation_id):
            return ours
        case Edit():  # neither the old words are to stay nor the new ones to be kept
            return Deletion(ours.platform, ours.conversation_id, ours.user_id, ours.message_id, ours.sent_at)
        case Message() | Command():
            return _wish_to_be_let_in(ours)
        case Action():
            return None


def _about_access(message: Message, admins: frozenset[str]) -> str | None:
    """An administrator's order about who is let in; in a group anybody's, to be told that they may not."""
    told = access_order(message.text)
    if not _is_in_a_group(message):
        return told if message.user_id in admins else None
    return f"{told} {message.conversation_id}" if told in _IN_A_GROUP else None


def _wish_to_be_let_in(ours: Message | Command) -> Command:
    code, tongue = (code_in(ours.text), _spoken(ours.text)) if isinstance(ours, Message) else ("", ours.language)
    return _command("pair_group" if _is_in_a_group(ours) else "pair", code, tongue, ours)


def _spoken(text: str) -> str:
    """The language of the words; empty where there are none, since a code is Latin for everybody."""
    return "" if not text or is_code(text) else language(text)


def _is_in_a_group(ours: Message | Command) -> bool:
    """Also in a room: LINE's name for a chat of several without a name."""
    return not ours.conversation_id.startswith("line:U")


def _command(name: str, argument: str, tongue: str, ours: Message | Command) -> Command:
    return Command(
        platform=ours.platform,
        conversation_id=ours.conversation_id,
        user_id=ours.user_id,
        name=name,
        argument=argument,
        language=tongue,
        sent_at=ours.sent_at,
        reply_to=ours.reply_to,
    )
