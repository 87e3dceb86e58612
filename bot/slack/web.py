"""Slack's Web API: a client that never repeats a call by itself, and its failures as our errors."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown

TIMEOUT_S = 8
"""Shorter than the life of a conversation's lock, so that a call ends while its caller still owns the conversation."""

_TOO_LONG = ("msg_too_long", "msg_blocks_too_long")
_LATER = ("ratelimited", "rate_limited", "message_limit_exceeded")
_PERHAPS_DONE = ("internal_error", "fatal_error", "service_unavailable", "request_timeout")
_ERROR_NAME = re.compile(r"[a-z0-9_]{1,80}")


class TooLong(DeliveryFailed):
    """Slack does not take a message of this length; shorter ones may pass."""


def slack_client(token: str, api_url: str) -> WebClient:
    """A client of `api_url` without retries: by default the SDK sends a post again whose connection broke."""
    quiet = logging.getLogger("bot.slack.sdk")
    quiet.setLevel(logging.CRITICAL)  # on its lower levels the SDK logs what it sends
    return WebClient(token, base_url=api_url, timeout=TIMEOUT_S, retry_handlers=[], logger=quiet)


def call(method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
    """What Slack answered to one call of a WebClient's method.

    Raises:
        DeliveryDeferred: Slack did not do it, and may do it later.
        DeliveryFailed: Slack did not do it and never will (`TooLong`: unless it is cut).
        DeliveryUnknown: Slack may have done it.
    """
    try:
        return method(**arguments)
    except SlackApiError as error:
        raise _refusal(error.response) from error
    except URLError as error:
        if isinstance(error.reason, ConnectionRefusedError | socket.gaierror):
            raise DeliveryDeferred("Slack is not reachable") from error
        raise DeliveryUnknown(type(error.reason).__name__) from error
    except (OSError, HTTPException, ValueError) as error:
        raise DeliveryUnknown(type(error).__name__) from error


def _refusal(response: SlackResponse) -> DeliveryError:
    """Slack's `{"ok": false}` or HTTP status as one of our errors."""
    name = response.data.get("error") if isinstance(response.data, dict) else None
    if response.status_code == 429 or name in _LATER:
        return DeliveryDeferred("rate limited", _retry_after_s(response))
    if response.status_code >= 500 or name in _PERHAPS_DONE:
        return DeliveryUnknown(f"HTTP {response.status_code}")
    if not isinstance(name, str) or not _ERROR_NAME.fullmatch(name):
        return DeliveryUnknown("not an answer of Slack")  # a proxy's page
    return TooLong(name) if name in _TOO_LONG else DeliveryFailed(name)


def _retry_after_s(response: SlackResponse) -> float | None:
    headers = {str(name).lower(): value for name, value in response.headers.items()}
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, TypeError, ValueError):
        return None
