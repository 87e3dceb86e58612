"""What every event of LINE's has, checked: the envelope. Pure.

https://developers.line.biz/en/reference/messaging-api/#common-properties
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.messages import Command

TOKEN_LIFE_S = 55
"""LINE: a reply token is to be used within a minute of receipt; the rest is for the way."""

TOKEN_LAST_CHANCE_S = 20 * 60
"""LINE: no reply token works later than 20 minutes after the event, whenever it was delivered."""

_CHAT_ID = {"user": "userId", "group": "groupId", "room": "roomId"}
_IDENTIFIER = re.compile(r"[!-~]{1,400}")
_LATEST_MS = 10**14
_NEEDS_NO_ANSWER = frozenset({"unsend", "messageEdited", "unfollow", "leave"})


class OddEvent(ValueError):
    """The event is not of LINE's shape."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every event has, checked, and the rest as it came."""

    kind: str
    chat_type: str
    chat_id: str
    user_id: str
    sent_at: float
    received_at: float
    rest: Mapping[str, Any]

    @classmethod
    def of(cls, event: object, received_at: float) -> Envelope:
        """The envelope of an event.

        Raises:
            OddEvent: it has none; or another system has the chat (standby), and the event asks for an answer. What is
                taken back, changed or left is heeded all the same.
        """
        fields = an_object(event)
        identifier(fields, "webhookEventId")
        source = an_object(fields.get("source"))
        chat_type, kind = source.get("type"), fields.get("type")
        if not isinstance(chat_type, str) or chat_type not in _CHAT_ID or not isinstance(kind, str):
            raise OddEvent
        if fields.get("mode") == "standby" and kind not in _NEEDS_NO_ANSWER:
            raise OddEvent
        return cls(
            kind=kind,
            chat_type=chat_type,
            chat_id=identifier(source, _CHAT_ID[chat_type]),
            user_id=optional_identifier(source, "userId") or "",
            sent_at=a_count(fields, "timestamp") / 1000,
            received_at=received_at,
            rest=fields,
        )

    @property
    def is_shared(self) -> bool:
        """Whether several people read the chat: a group, or a room, LINE's name for one without a name."""
        return self.chat_type != "user"

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
            "reply_token": optional_identifier(self.rest, "replyToken") if alive else None,
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

    def command(self, name: str, argument: str = "", language: str = "") -> Command:
        """An order, by default in the language that the person chose or uses LINE in."""
        return Command(
            **self.who,
            name=name,
            argument=argument,
            language=language,
            sent_at=self.sent_at,
            reply_to=self.reply_to(),
        )


def message_id(fields: Mapping[str, Any], name: str = "id") -> str:
    """The identity of a message, as ours."""
    return f"line:{identifier(fields, name)}"


def an_object(value: object) -> Mapping[str, Any]:
    """The value, if it is a JSON object; this and what is below raise OddEvent for anything else."""
    if not isinstance(value, Mapping):
        raise OddEvent
    return value


def identifier(fields: Mapping[str, Any], name: str) -> str:
    """An id or token: up to 400 visible ASCII characters."""
    value = fields.get(name)
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise OddEvent
    return value


def optional_identifier(fields: Mapping[str, Any], name: str) -> str | None:
    """The same, or None where there is none."""
    return None if fields.get(name) is None else identifier(fields, name)


def a_count(fields: Mapping[str, Any], name: str) -> int:
    """A whole number from 0 to what a time in milliseconds may be."""
    value = fields.get(name)
    if type(value) is not int or not 0 <= value <= _LATEST_MS:
        raise OddEvent
    return value
