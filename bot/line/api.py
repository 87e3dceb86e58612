"""Calls to LINE's Messaging API, with their failures sorted by what is known afterwards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from linebot.v3.messaging import (
    ApiClient,
    ApiException,
    Configuration,
    PushMessageRequest,
    ReplyMessageRequest,
    ShowLoadingAnimationRequest,
)
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 8.0
MAX_MESSAGES = 5
"""LINE: message objects in one call."""


class TokenGone(DeliveryError):
    """The reply token was used before, or is too old; this call showed nothing."""


class QuotaUsedUp(DeliveryError):
    """The month's pushes are used up; this call showed nothing."""


class LineApi:
    """The calls that a sender makes.

    They go through the SDK's ApiClient one layer below its MessagingApi, which reads the body of a success into models:
    an unexpected one would raise after LINE has shown the message.
    """

    def __init__(self, url: str, access_token: str, timeout_s: float = CALL_TIMEOUT_S) -> None:
        configuration = Configuration(host=url.rstrip("/"), access_token=access_token)
        configuration.retries = False  # only who knows what a call does may repeat it
        self._client = ApiClient(configuration)
        self._timeout_s = timeout_s

    def reply(self, token: str, messages: Sequence[Any]) -> None:
        """Show up to five messages through a reply token.

        Raises:
            TokenGone, DeliveryDeferred, DeliveryFailed: nothing was shown.
            DeliveryUnknown: it may have been shown.
        """
        self._post("/v2/bot/message/reply", ReplyMessageRequest(replyToken=token, messages=list(messages)))

    def push(self, chat_id: str, messages: Sequence[Any], retry_key: str) -> None:
        """Show up to five messages without a token, once for each retry key (a UUID; LINE remembers it for 24 h).

        Raises:
            QuotaUsedUp, DeliveryFailed: nothing was shown.
            DeliveryDeferred: the same call may be made again.
        """
        request = PushMessageRequest(to=chat_id, messages=list(messages))
        try:
            self._post("/v2/bot/message/push", request, {"X-Line-Retry-Key": retry_key})
        except DeliveryUnknown as error:
            raise DeliveryDeferred(str(error)) from error

    def show_loading(self, user_id: str, seconds: int) -> None:
        """Show the loading animation in a 1:1 chat until a message comes; `seconds` is 5 to 60, a multiple of 5.

        Raises:
            DeliveryError
        """
        self._post("/v2/bot/chat/loading/start", ShowLoadingAnimationRequest(chatId=user_id, loadingSeconds=seconds))

    def _post(self, path: str, request: Any, headers: dict[str, str] | None = None) -> None:
        try:
            response = self._client.call_api(
                path,
                "POST",
                header_params={"Content-Type": "application/json", **(headers or {})},
                body=request,
                response_types_map={},
                auth_settings=["Bearer"],
                _request_timeout=self._timeout_s,
            )
            _log_call(path, response.status_code, response.headers)
        except ApiException as refusal:
            _log_call(path, refusal.status, refusal.headers)
            if refusal.status != 409:  # accepted before under the same retry key
                raise _sorted(refusal) from refusal
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise DeliveryDeferred(type(error).__name__) from error
        except (HTTPError, UnicodeDecodeError) as error:  # the SDK decodes the body of an error as UTF-8
            raise DeliveryUnknown(type(error).__name__) from error


def _sorted(refusal: Any) -> DeliveryError:
    """The SDK's exception as ours, by what it says of the message."""
    said = refusal.body or ""
    if refusal.status == 400 and "Invalid reply token" in said:
        return TokenGone("invalid reply token")
    if refusal.status == 429 and "monthly limit" in said:
        return QuotaUsedUp("monthly limit")
    if refusal.status == 429:
        return DeliveryDeferred("rate limited")
    if refusal.status >= 500 or refusal.status in (0, 408):
        return DeliveryUnknown(f"status {refusal.status}")
    return DeliveryFailed(f"status {refusal.status}")


def _log_call(path: str, status: int, headers: Any) -> None:
    request_id = (headers or {}).get("x-line-request-id", "")
    log.info("called LINE", extra={"path": path, "status": status, "line_request_id": request_id})
