"""Slack's Web API: a client that never repeats a call by itself, and its failures as our errors."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.request import Request

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.calls import AT_ONCE, TIMEOUT_S, Calls, seconds
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown
from bot.slack.limiter import REST_S, Limiter

_TOO_LONG = ("msg_too_long", "msg_blocks_too_long")
_LATER = ("ratelimited", "rate_limited", "message_limit_exceeded")
_PERHAPS_DONE = ("internal_error", "fatal_error", "service_unavailable", "request_timeout")
_ERROR_NAME = re.compile(r"[a-z0-9_]{1,80}")
_is_spare: ContextVar[bool] = ContextVar("is_spare", default=False)


class TooLong(DeliveryFailed):
    """Slack does not take a message of this length; shorter ones may pass."""


class SlackClient(WebClient):  # type: ignore[misc]
    """The SDK's client over `Calls`, for which the SDK has no option: it would wait for a byte a second for ever.

    With a `limiter` it makes no call that may not be made now.
    """

    def __init__(self, token: str, api_url: str, calls: Calls, limiter: Limiter | None = None) -> None:
        quiet = logging.getLogger("bot.slack.sdk")
        quiet.setLevel(logging.CRITICAL)  # on its lower levels the SDK logs what it sends
        # By default the SDK sends a post again whose connection broke.
        super().__init__(token, base_url=api_url, timeout=int(TIMEOUT_S), retry_handlers=[], logger=quiet)
        self._calls = calls
        self._limiter = limiter

    def api_call(self, api_method: str, **sent: Any) -> SlackResponse:
        """What Slack answered.

        Raises:
            SlackApiError
            DeliveryDeferred: the call was not made, since the method's pace does not allow it now.
        """
        if self._limiter is None:
            return super().api_call(api_method, **sent)
        channel = _channel(sent)
        self._limiter.take(api_method, channel, spare=_is_spare.get())
        try:
            return super().api_call(api_method, **sent)
        except SlackApiError as error:
            if _is_limit(error.response):
                self._limiter.rest(api_method, channel, _retry_after_s(error.response))
            raise

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        answer = self._calls.post(req, self.timeout)
        headers = {name.title(): value for name, value in answer.headers.items()}
        return {"status": answer.status, "headers": headers, "body": answer.body.decode()}


def slack_client(token: str, api_url: str, at_once: int = AT_ONCE, *, limiter: Limiter | None = None) -> SlackClient:
    """A client of `api_url` that makes `at_once` calls at most at the same time, each of them once."""
    return SlackClient(token, api_url, Calls(at_once), limiter)


@contextmanager
def sparing(is_spare: bool) -> Iterator[None]:
    """Calls inside the block can be left out, so that what has to be said goes before them (`Limiter.take`)."""
    before = _is_spare.set(is_spare)
    try:
        yield
    finally:
        _is_spare.reset(before)


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


def _channel(sent: dict[str, Any]) -> str:
    """The channel that a call is about, under whichever name; empty when it is about none."""
    arguments = sent.get("json") or sent.get("params") or sent.get("data") or {}
    return str(arguments.get("channel") or arguments.get("channel_id") or "") if isinstance(arguments, dict) else ""


def _is_limit(response: SlackResponse) -> bool:
    """Whether Slack did not carry a call out since there were too many."""
    name = response.data.get("error") if isinstance(response.data, dict) else None
    return response.status_code == 429 or name in _LATER


def _retry_after_s(response: SlackResponse) -> float | None:
    return seconds(response.headers.get("Retry-After", ""))


def _refusal(response: SlackResponse) -> DeliveryError:
    """Slack's `{"ok": false}` or HTTP status as one of our errors."""
    name = response.data.get("error") if isinstance(response.data, dict) else None
    if _is_limit(response):
        return DeliveryDeferred("rate limited", _retry_after_s(response) or REST_S)
    if response.status_code >= 500 or name in _PERHAPS_DONE:
        return DeliveryUnknown(f"HTTP {response.status_code}")
    if not isinstance(name, str) or not _ERROR_NAME.fullmatch(name):
        return DeliveryUnknown("not an answer of Slack")  # a proxy's page
    return TooLong(name) if name in _TOO_LONG else DeliveryFailed(name)
