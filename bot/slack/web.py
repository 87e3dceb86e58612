"""Slack's Web API: a client that never repeats a call by itself, and its failures as our errors."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.request import Request

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.calls import AT_ONCE, TIMEOUT_S, Calls, seconds
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown

_TOO_LONG = ("msg_too_long", "msg_blocks_too_long")
_LATER = ("ratelimited", "rate_limited", "message_limit_exceeded")
_PERHAPS_DONE = ("internal_error", "fatal_error", "service_unavailable", "request_timeout")
_ERROR_NAME = re.compile(r"[a-z0-9_]{1,80}")


class TooLong(DeliveryFailed):
    """Slack does not take a message of this length; shorter ones may pass."""


class SlackClient(WebClient):  # type: ignore[misc]
    """The SDK's client over `Calls`, for which the SDK has no option: it would wait for a byte a second for ever."""

    def __init__(self, token: str, api_url: str, calls: Calls) -> None:
        quiet = logging.getLogger("bot.slack.sdk")
        quiet.setLevel(logging.CRITICAL)  # on its lower levels the SDK logs what it sends
        # By default the SDK sends a post again whose connection broke.
        super().__init__(token, base_url=api_url, timeout=int(TIMEOUT_S), retry_handlers=[], logger=quiet)
        self._calls = calls

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        answer = self._calls.post(req, self.timeout)
        headers = {name.title(): value for name, value in answer.headers.items()}
        return {"status": answer.status, "headers": headers, "body": answer.body.decode()}


def slack_client(token: str, api_url: str, at_once: int = AT_ONCE) -> SlackClient:
    """A client of `api_url` that makes `at_once` calls at most at the same time, each of them once."""
    return SlackClient(token, api_url, Calls(at_once))


def call(method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
    """What Slack answered to one call of a client's method.

    Raises:
        DeliveryDeferred: Slack did not do it, and may do it later.
        DeliveryFailed: Slack did not do it and never will (`TooLong`: unless it is cut).
        DeliveryUnknown: Slack may have done it.
    """
    try:
        return method(**arguments)
    except SlackApiError as error:
        raise _refusal(error.response) from error
    except (ValueError, AttributeError, RecursionError) as error:  # the SDK cannot read a body that is not Slack's
        raise DeliveryUnknown(type(error).__name__) from error


def _refusal(response: SlackResponse) -> DeliveryError:
    """Slack's `{"ok": false}` or HTTP status as one of our errors."""
    name = response.data.get("error") if isinstance(response.data, dict) else None
    if response.status_code == 429 or name in _LATER:
        return DeliveryDeferred("rate limited", seconds(response.headers.get("Retry-After", "")))
    if response.status_code >= 500 or name in _PERHAPS_DONE:
        return DeliveryUnknown(f"HTTP {response.status_code}")
    if not isinstance(name, str) or not _ERROR_NAME.fullmatch(name):
        return DeliveryUnknown("not an answer of Slack")  # a proxy's page
    return TooLong(name) if name in _TOO_LONG else DeliveryFailed(name)
