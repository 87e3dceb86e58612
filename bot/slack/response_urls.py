"""Response URLs: addresses that Slack gives with a command or a press, to answer its giver for half an hour."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

from bot.calls import TIMEOUT_S, Calls
from bot.errors import DeliveryDeferred, DeliveryFailed, DeliveryUnknown
from bot.slack.web import SlackClient

AT_ONCE = 4
HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")


class ResponseUrls:
    """Says things at response URLs. They carry no token, and only Slack's own are called."""

    def __init__(self, client: SlackClient) -> None:
        self._calls = Calls(AT_ONCE)
        self._api = urlsplit(client.base_url)

    def say(self, url: str, content: Mapping[str, Any], *, replaces: bool = False) -> None:
        """Show it to who was given the address, alone.

        Args:
            replaces: in the place of the message whose button was pressed; a command has none.

        Raises:
            DeliveryDeferred: it is not shown, and may be later.
            DeliveryFailed: the address is not Slack's, has ended or is used up (five times in half an hour).
            DeliveryUnknown: it may be shown.
        """
        if not self._is_slacks(url):
            raise DeliveryFailed("not an address of Slack")
        said = {"response_type": "ephemeral", "replace_original": replaces, **content}
        body = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"content-type": "application/json; charset=utf-8"}
        request = Request(url, body, headers, method="POST")  # noqa: S310 - http(s) by _is_slacks
        answer = self._calls.post(request, TIMEOUT_S)
        if answer.status == 429:
            raise DeliveryDeferred("rate limited", answer.retry_after_s)
        if answer.status >= 500:
            raise DeliveryUnknown(f"HTTP {answer.status}")
        if answer.status != 200:
            raise DeliveryFailed(f"HTTP {answer.status}")

    def _is_slacks(self, url: str) -> bool:
        """Whether it is on one of Slack's hosts, or where the Web API of the settings is."""
        if not url.isascii() or not url.isprintable():  # such a request cannot be written
            return False
        try:
            asked = urlsplit(url)
            port = asked.port
        except ValueError:
            return False
        if asked.username is not None or asked.password is not None:
            return False
        is_api = (asked.scheme, asked.hostname, port) == (self._api.scheme, self._api.hostname, self._api.port)
        return is_api or (asked.scheme == "https" and asked.hostname in HOSTS and port in (None, 443))
