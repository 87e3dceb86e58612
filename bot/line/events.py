"""LINE's webhook events as ours: total, so that odd shapes give None, never an exception.

Pure but for one question to the store: whether a message that is quoted in a group is the bot's.
https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.line.calling import Listening
from bot.line.envelope import TOKEN_LAST_CHANCE_S, TOKEN_LIFE_S, Envelope, OddEvent, an_object, message_id
from bot.line.pressed import pressed
from bot.line.said import edited, spoken
from bot.messages import Action, Command, Deletion, Edit, Message
from bot.store import SEEN_S

__all__ = ["TOKEN_LAST_CHANCE_S", "TOKEN_LIFE_S", "Ours", "delivery_id", "translate"]

Ours = Message | Edit | Deletion | Command | Action

_MENTIONED_ONLY = Listening()


def translate(event: object, received_at: float, listening: Listening = _MENTIONED_ONLY) -> Ours | None:
    """One event as ours; None when it is not for the bot, of a kind without use here, of an odd shape, or a replay.

    Without use are: who joins or leaves a group beside the bot (nobody spoke to it, and what was said stays the
    group's), watched videos, beacons, linked accounts, memberships, deliveries to phone numbers, and what modules are
    told of. Older than a delivery is remembered: dropped, since a captured body stays validly signed for ever.

    Raises:
        StoreUnavailable: it could not be found out whether a quoted message is the bot's.
    """
    try:
        read = Envelope.of(event, received_at)
        reader = _READERS.get(read.kind)
        return reader(read, listening) if reader and received_at - read.sent_at < SEEN_S else None
    except OddEvent:
        return None


def delivery_id(event: Mapping[str, Any]) -> str:
    """The identity of a translated event's delivery, the same when LINE delivers it again."""
    return f"line:{event['webhookEventId']}"


def _unsent(event: Envelope, _: Listening) -> Deletion:
    unsent = an_object(event.rest.get("unsend"))
    return Deletion(**event.who, message_id=message_id(unsent, "messageId"), sent_at=event.sent_at)


def _pressed(event: Envelope, _: Listening) -> Command | Action | None:
    return pressed(event)


def _followed(event: Envelope, _: Listening) -> Command:
    """Who adds the account as a friend, and who lets it in again after blocking it, which erased everything."""
    return event.command("help", "welcome")


def _unfollowed(event: Envelope, _: Listening) -> Command:
    return event.command("unfollow", "", "ja")


def _joined(event: Envelope, listening: Listening) -> Command:
    """The bot is in a group or room now, where it tells how it is called: by the first call word."""
    return event.command("joined", next(iter(listening.call_words.words), ""))


def _left(event: Envelope, _: Listening) -> Command | None:
    """The bot is out of a group or room; a person cannot be left."""
    return event.command("leave") if event.is_shared else None


_READERS: dict[str, Callable[[Envelope, Listening], Ours | None]] = {
    "message": spoken,
    "messageEdited": edited,
    "unsend": _unsent,
    "postback": _pressed,
    "follow": _followed,
    "unfollow": _unfollowed,
    "join": _joined,
    "leave": _left,
}
