"""LINE's webhook bodies in their real, full shape, and their signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Mapping
from typing import Any

DESTINATION = "U8e742f61d673b39c7fff3cecb7536ef0"
USER = "U4af4980629aa4f1f8e3b2c1d5e6f7a8b"
OTHER_USER = "U91eeaf62d901234567890123456789ab"
GROUP = "Ca56f94637cc4347f90a25382909b24b9"
ROOM = "Ra8dbf4673c4c812cd491258042226c99"

_ids = itertools.count(int(time.time() * 1000))
_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def sign(secret: str, body: bytes) -> str:
    """The x-line-signature of a body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def body(*events: Mapping[str, Any]) -> bytes:
    """The events as one webhook body; without any, the console's Verify call. What UTF-8 cannot hold is escaped."""
    content = json.dumps({"destination": DESTINATION, "events": list(events)}, ensure_ascii=False)
    return content.encode(errors="backslashreplace")


def headers(secret: str, content: bytes) -> dict[str, str]:
    """The headers that matter, names in lower case."""
    return {"content-type": "application/json; charset=utf-8", "x-line-signature": sign(secret, content)}


def user(user_id: str = USER) -> dict[str, str]:
    return {"type": "user", "userId": user_id}


def group(user_id: str | None = USER, group_id: str = GROUP) -> dict[str, str]:
    return {"type": "group", "groupId": group_id} | ({"userId": user_id} if user_id else {})


def room(user_id: str | None = USER, room_id: str = ROOM) -> dict[str, str]:
    return {"type": "room", "roomId": room_id} | ({"userId": user_id} if user_id else {})


def event(kind: str, source: Mapping[str, str], *, sent_at: float | None = None, **fields: Any) -> dict[str, Any]:
    """Any event with the properties that all of them have."""
    return {
        "type": kind,
        "mode": "active",
        "timestamp": int((time.time() if sent_at is None else sent_at) * 1000),
        "source": dict(source),
        "webhookEventId": _ulid(next(_ids)),
        "deliveryContext": {"isRedelivery": False},
        **fields,
    }


def text(
    said: str,
    source: Mapping[str, str] | None = None,
    *,
    reply_token: str | None = None,
    sent_at: float | None = None,
    **message: Any,
) -> dict[str, Any]:
    """A text message."""
    content = {
        "type": "text",
        "id": str(next(_ids)),
        "quoteToken": "q3Plxr4AgKd_Kq9Wf8yK1gbNZ1AKU7eFZK1iBJ4fLmGd",
        "markAsReadToken": "mLzXkQ1rT8",
        "text": said,
        **message,
    }
    return event("message", source or user(), sent_at=sent_at, replyToken=reply_token or _token(), message=content)


def mentioning(
    said: str, name: str = "@窓口", source: Mapping[str, str] | None = None, **fields: Any
) -> dict[str, Any]:
    """A text message in a group whose `name`, where it stands in the text, is a mention of the bot."""
    return text(said, source or group(), mention={"mentionees": [mentionee(said, name, is_self=True)]}, **fields)


def mentionee(said: str, name: str, *, is_self: bool, user_id: str = DESTINATION) -> dict[str, Any]:
    """One mention, counted in UTF-16 units."""
    before = said[: said.index(name)]
    return {
        "index": len(before.encode("utf-16-le")) // 2,
        "length": len(name.encode("utf-16-le")) // 2,
        "type": "user",
        "userId": user_id,
        "isSelf": is_self,
    }


def unsend(message_id: str, source: Mapping[str, str] | None = None) -> dict[str, Any]:
    return event("unsend", source or user(), unsend={"messageId": message_id})


def edited(message_id: str, said: str, source: Mapping[str, str] | None = None, **message: Any) -> dict[str, Any]:
    content = {"type": "text", "id": message_id, "quoteToken": "q3Plxr4AgKd", "text": said, **message}
    return event("messageEdited", source or group(), replyToken=_token(), message=content)


def follow(source: Mapping[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    return event("follow", source or user(), **{"replyToken": _token(), "follow": {"isUnblocked": False}, **fields})


def unfollow(source: Mapping[str, str] | None = None) -> dict[str, Any]:
    return event("unfollow", source or user())


def postback(data: str, source: Mapping[str, str] | None = None, *, reply_token: str | None = None) -> dict[str, Any]:
    return event("postback", source or user(), replyToken=reply_token or _token(), postback={"data": data})


def redelivered(original: Mapping[str, Any]) -> dict[str, Any]:
    """The same event as LINE delivers it again."""
    return {**original, "deliveryContext": {"isRedelivery": True}}


def _token() -> str:
    return hashlib.md5(str(next(_ids)).encode(), usedforsecurity=False).hexdigest()


def _ulid(number: int) -> str:
    return "01" + "".join(_ULID[number >> shift & 31] for shift in range(115, -5, -5))
