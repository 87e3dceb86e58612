"""Calls to LINE's Messaging API, with their failures sorted by what is known afterwards."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.request import Request

from linebot.v3.messaging import (
    MarkMessagesAsReadByTokenRequest,
    PushMessageRequest,
    ReplyMessageRequest,
    ShowLoadingAnimationRequest,
)

from bot.calls import Answer, Calls
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown

log = logging.getLogger(__name__)

MAX_MESSAGES = 5
"""LINE: message objects in one call."""
_IDENTIFIER = re.compile(r"/(?:[UCR][0-9a-f]{32}|[0-9]{6,})")
MOST_BYTES = 1_000_000
"""Of what LINE tells; everything that is asked for takes a few hundred."""


class TokenGone(DeliveryError):
    """The reply token was used before, or is too old; this call showed nothing."""


class QuotaUsedUp(DeliveryError):
    """The month's pushes are used up; this call showed nothing."""


class NotTaken(DeliveryFailed):
    """LINE does not take such messages; nothing was shown."""


class NotFound(DeliveryFailed):
    """LINE has nothing under this address, or not for this channel."""


class Odd(DeliveryError):
    """LINE's answer is not what its reference promises."""


class LineApi:
    """The calls that a sender makes, with the SDK's models as their bodies.

    Not by the SDK's client: it would wait for a byte a second for ever, and reads the body of a success into models,
    so that an unexpected one would raise after LINE has shown the message.
    """

    def __init__(self, url: str, access_token: str, calls: Calls, timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {access_token}", "Content-Type": "application/json"}
        self._calls = calls
        self._timeout_s = timeout_s

    def reply(self, token: str, messages: Sequence[Any]) -> list[str]:
        """Show up to five messages through a reply token; their ids, where LINE told them.

        Raises:
            TokenGone, DeliveryDeferred, DeliveryFailed: nothing was shown.
            DeliveryUnknown: it may have been shown.
        """
        return _sent(self.post("/v2/bot/message/reply", ReplyMessageRequest(replyToken=token, messages=list(messages))))

    def push(self, chat_id: str, messages: Sequence[Any], retry_key: str) -> list[str]:
        """Show up to five messages without a token, once for each retry key (a UUID; LINE remembers it for 24 h).

        Raises:
            QuotaUsedUp, DeliveryFailed: nothing was shown.
            DeliveryDeferred: the same call may be made again.
        """
        request = PushMessageRequest(to=chat_id, messages=list(messages))
        try:
            return _sent(self.post("/v2/bot/message/push", request, {"X-Line-Retry-Key": retry_key}))
        except DeliveryUnknown as error:
            raise DeliveryDeferred(str(error)) from error

    def show_loading(self, user_id: str, seconds: int) -> None:
        """Show the loading animation in a 1:1 chat until a message comes; `seconds` is 5 to 60, a multiple of 5.

        Raises:
            DeliveryError
        """
        self.post("/v2/bot/chat/loading/start", ShowLoadingAnimationRequest(chatId=user_id, loadingSeconds=seconds))

    def mark_as_read(self, token: str) -> None:
        """Mark a message, and all before it in its chat, as read.

        Raises:
            DeliveryError
        """
        self.post("/v2/bot/chat/markAsRead", MarkMessagesAsReadByTokenRequest(markAsReadToken=token))

    def post(self, path: str, message: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """What LINE answered to one of the SDK's models, or to nothing; a success, or what was accepted before under
        the retry key.

        Raises:
            TokenGone, QuotaUsedUp, DeliveryDeferred, DeliveryFailed: it was not carried out.
            DeliveryUnknown: it may have been.
        """
        return self._tell("POST", path, _json(message), headers or {})

    def put(self, path: str, message: Any) -> Answer:
        """As `post`, for what LINE wants to have put."""
        return self._tell("PUT", path, _json(message))

    def delete(self, path: str) -> Answer:
        """As `post`, for what is to go."""
        return self._tell("DELETE", path, b"")

    def upload(self, path: str, content: bytes, media_type: str) -> Answer:
        """As `post`, for bytes, which LINE takes at its host of media."""
        return self._tell("POST", path, content, {"Content-Type": media_type})

    def _tell(self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        request = Request(self._url + path, body, {**self._headers, **(headers or {})}, method=method)  # noqa: S310 - the scheme is the setting's
        return self._checked(path, self._calls.post(request, self._timeout_s))

    def get(self, path: str) -> Mapping[str, Any]:
        """The JSON object that LINE has under a path.

        Raises:
            DeliveryDeferred: it cannot be had now.
            NotFound, DeliveryFailed: there is none, or not for us.
        """
        request = Request(self._url + path, headers=self._headers)  # noqa: S310 - the scheme is the setting's
        try:
            answer = self._calls.get(request, most_bytes=MOST_BYTES, timeout_s=self._timeout_s)
            return object_of(self._checked(path, answer))
        except (DeliveryUnknown, Odd) as error:
            raise DeliveryDeferred(str(error)) from error

    def _checked(self, path: str, answer: Answer) -> Answer:
        note_call(path, answer)
        if not (answer.status < 300 or answer.status == 409):  # 409: accepted before under the same retry key
            raise _refusal(answer)
        return answer


def note_call(path: str, answer: Answer) -> None:
    """Log a call with the id that LINE gave it, which LINE's support asks for; nobody's id is in the path."""
    request_id = answer.headers.get("x-line-request-id", "")
    called = _IDENTIFIER.sub("/*", path)
    log.info("called LINE", extra={"path": called, "status": answer.status, "line_request_id": request_id})


def _json(message: Any) -> bytes:
    """One of the SDK's models as a body; none for nothing."""
    return b"" if message is None else json.dumps(message.to_dict()).encode()


def object_of(answer: Answer) -> Mapping[str, Any]:
    """The answer's JSON object.

    Raises:
        Odd: it has none.
    """
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Odd("not an answer of LINE") from error
    if not isinstance(value, dict):
        raise Odd("not an answer of LINE")
    return value


def _sent(answer: Answer) -> list[str]:
    """The ids of the messages that were shown; none where LINE, or who answered in its place, does not tell."""
    try:
        sent = object_of(answer).get("sentMessages")
    except Odd:
        return []
    told = [message.get("id") for message in sent if isinstance(message, dict)] if isinstance(sent, list) else []
    return [message_id for message_id in told if isinstance(message_id, str)]


def _refusal(answer: Answer) -> DeliveryError:
    """An answer that is no success as one of our errors, by what it says of the message."""
    said = answer.body.decode(errors="replace")
    match answer.status:
        case 400 if "Invalid reply token" in said:
            error: DeliveryError = TokenGone("invalid reply token")
        case 400:
            error = NotTaken("status 400")
        case 404:
            error = NotFound("status 404")
        case 429 if "monthly limit" in said:
            error = QuotaUsedUp("monthly limit")
        case 429:
            error = DeliveryDeferred("rate limited", answer.retry_after_s)
        case status if status >= 500 or status == 408:
            error = DeliveryUnknown(f"status {status}")
        case status:
            error = DeliveryFailed(f"status {status}")
    return error
