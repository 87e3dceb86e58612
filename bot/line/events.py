"""LINE's webhook events as ours: pure, and total: odd shapes give None, never an exception.

https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.line.postback import Postback
from bot.messages import Command, Deletion, Edit, Message
from bot.store import SEEN_S
from bot.words import language, order, said_to_administer

Ours = Message | Edit | Deletion | Command

TOKEN_LIFE_S = 55
"""LINE: a reply token is to be used within a minute of receipt; the rest is for the way."""

TOKEN_LAST_CHANCE_S = 20 * 60
"""LINE: no reply token works later than 20 minutes after the event, whenever it was delivered."""

_CHAT_ID = {"user": "userId", "group": "groupId", "room": "roomId"}
_IDENTIFIER = re.compile(r"[!-~]{1,400}")
_LATEST_MS = 10**14


class _Odd(ValueError):
    """The event is not of LINE's shape."""


@dataclass(frozen=True, slots=True)
class _Event:
    """What every event has, checked, and the rest as it came."""

    kind: str
    chat_type: str
    chat_id: str
    user_id: str
    sent_at: float
    received_at: float
    rest: Mapping[str, Any]

    @property
    def conversation_id(self) -> str:
        return f"line:{self.chat_id}"

    @property
    def who(self) -> dict[str, Any]:
        """The fields that all our types share. Where LINE does not tell who spoke in a group, the group did."""
        return {
            "platform": "line",
            "conversation_id": self.conversation_id,
            "user_id": f"line:{self.user_id or self.chat_id}",
        }

    def reply_to(self, quote_token: str | None = None) -> dict[str, Any]:
        """Where an answer goes and until when it is free; opaque outside this package."""
        expires_at = min(self.received_at + TOKEN_LIFE_S, self.sent_at + TOKEN_LAST_CHANCE_S)
        alive = expires_at > self.received_at
        return {
            "reply_token": _optional_identifier(self.rest, "replyToken") if alive else None,
            "expires_at": expires_at,
            "chat_type": self.chat_type,
            "chat_id": self.chat_id,
            "user_id": self.user_id or None,
            "quote_token": quote_token,
            "read_token": self._read_token(),
        }

    def _read_token(self) -> str | None:
        """What marks the message as read; a message with an odd one is one all the same."""
        message = self.rest.get("message")
        token = message.get("markAsReadToken") if isinstance(message, Mapping) else None
        return token if isinstance(token, str) and _IDENTIFIER.fullmatch(token) else None

    def command(self, name: str, argument: str, tongue: str) -> Command:
        return Command(
            **self.who,
            name=name,
            argument=argument,
            language=tongue,
            sent_at=self.sent_at,
            reply_to=self.reply_to(),
        )


def translate(event: object, received_at: float, admins: frozenset[str] = frozenset()) -> Ours | None:
    """One event as ours; None when it is not for the bot, of an unknown kind, of an odd shape, or a replay.

    Older than a delivery is remembered: dropped, since a captured body stays validly signed for ever.

    Args:
        admins: who may administer, as `line:U…`; their words in a 1:1 chat are orders.
    """
    try:
        read = _event(event, received_at)
        reader = _READERS.get(read.kind)
        ours = reader(read) if reader and received_at - read.sent_at < SEEN_S else None
    except _Odd:
        return None
    if read.chat_type == "user" and isinstance(ours, Message):
        told = said_to_administer(ours.text, is_admin=ours.user_id in admins)
        return read.command("admin", told, language(ours.text)) if told else ours
    return ours


def delivery_id(event: Mapping[str, Any]) -> str:
    """The identity of a translated event's delivery, the same when LINE delivers it again."""
    return f"line:{event['webhookEventId']}"


def _event(event: object, received_at: float) -> _Event:
    fields = _object(event)
    _identifier(fields, "webhookEventId")
    source = _object(fields.get("source"))
    chat_type = source.get("type")
    if not isinstance(chat_type, str) or chat_type not in _CHAT_ID:
        raise _Odd
    # In standby another system has the chat: nothing may be sent. What is taken back is forgotten all the same.
    kind = fields.get("type")
    if not isinstance(kind, str) or (fields.get("mode") == "standby" and kind != "unsend"):
        raise _Odd
    return _Event(
        kind=kind,
        chat_type=chat_type,
        chat_id=_identifier(source, _CHAT_ID[chat_type]),
        user_id=_optional_identifier(source, "userId") or "",
        sent_at=_timestamp_s(fields),
        received_at=received_at,
        rest=fields,
    )


def _message(event: _Event) -> Message | Command | None:
    message = _object(event.rest.get("message"))
    if message.get("type") != "text":
        return None
    text, mentioned = _spoken(message)
    if event.chat_type != "user" and not mentioned:
        return None
    name = order(text) if text else "help"  # nothing but the bot's name
    if name:
        return event.command(name, "", language(text))
    return Message(
        id=_message_id(message),
        **event.who,
        text=text,
        sent_at=event.sent_at,
        reply_to=event.reply_to(_optional_identifier(message, "quoteToken")),
    )


def _edit(event: _Event) -> Edit | Deletion | None:
    message = _object(event.rest.get("message"))
    if message.get("type") != "text":
        return None
    text, _ = _spoken(message)
    if not text:
        return Deletion(**event.who, message_id=_message_id(message), sent_at=event.sent_at)
    return Edit(**event.who, message_id=_message_id(message), text=text, sent_at=event.sent_at)


def _deletion(event: _Event) -> Deletion:
    unsent = _object(event.rest.get("unsend"))
    return Deletion(**event.who, message_id=f"line:{_identifier(unsent, 'messageId')}", sent_at=event.sent_at)


def _postback(event: _Event) -> Command | None:
    data = _object(event.rest.get("postback")).get("data")
    pressed = Postback.read(data) if isinstance(data, str) else None
    if pressed is None or pressed.action != "collect" or pressed.conversation_id != event.conversation_id:
        return None
    return event.command("collect", pressed.message_id, pressed.language)


def _follow(event: _Event) -> Command:
    return event.command("help", "welcome", "")


def _unfollow(event: _Event) -> Command:
    return event.command("unfollow", "", "ja")


_READERS: dict[str, Callable[[_Event], Ours | None]] = {
    "message": _message,
    "messageEdited": _edit,
    "unsend": _deletion,
    "postback": _postback,
    "follow": _follow,
    "unfollow": _unfollow,
}


def _spoken(message: Mapping[str, Any]) -> tuple[str, bool]:
    """The text without the mentions of the bot, and whether there was one.

    LINE counts in UTF-16 units. Half a surrogate pair, which no store can hold, becomes the replacement character.
    """
    text = message.get("text")
    if not isinstance(text, str):
        raise _Odd
    units = text.encode("utf-16-le", "surrogatepass")
    spans = _mentions_of_the_bot(message)
    for index, length in sorted(spans, reverse=True):
        units = units[: 2 * index] + units[2 * (index + length) :]
    return units.decode("utf-16-le", "replace").strip()[: Message.MAX_TEXT_CHARS], bool(spans)


def _mentions_of_the_bot(message: Mapping[str, Any]) -> list[tuple[int, int]]:
    if message.get("mention") is None:
        return []
    mentionees = _object(message["mention"]).get("mentionees")
    if not isinstance(mentionees, list):
        raise _Odd
    ours = [mentionee for mentionee in map(_object, mentionees) if mentionee.get("isSelf") is True]
    return [(_count(mentionee, "index"), _count(mentionee, "length")) for mentionee in ours]


def _message_id(message: Mapping[str, Any]) -> str:
    return f"line:{_identifier(message, 'id')}"


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Odd
    return value


def _identifier(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise _Odd
    return value


def _optional_identifier(fields: Mapping[str, Any], name: str) -> str | None:
    return None if fields.get(name) is None else _identifier(fields, name)


def _count(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value <= _LATEST_MS:
        raise _Odd
    return value


def _timestamp_s(fields: Mapping[str, Any]) -> float:
    return _count(fields, "timestamp") / 1000
