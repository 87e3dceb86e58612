"""What LINE says of the channel: the bot, its webhook, the month's messages; and the little of it that can be set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from linebot.v3.messaging import SetWebhookEndpointRequest, TestWebhookEndpointRequest

from bot.line.api import LineApi, NotFound, Odd, object_of

WEBHOOK_PATH = "line/webhook"
"""Behind PUBLIC_URL."""
_ENDPOINT = "/v2/bot/channel/webhook/endpoint"


@dataclass(frozen=True, slots=True)
class Bot:
    """The account as people see it; with `chat` somebody may answer by hand in the Official Account Manager."""

    name: str
    basic_id: str
    chat: bool


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where LINE sends events, and whether it sends any ("Use webhook")."""

    address: str
    active: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a test event that LINE sent to an address; `status` is 0 or less where nothing answered."""

    well: bool
    status: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Spent:
    """The month's messages that count: so many were sent, of so many (None: of as many as one pays for)."""

    used: int
    limit: int | None


class LineAccount:
    """One channel's settings. Every method raises `DeliveryError` when LINE does not tell, or says something odd."""

    def __init__(self, api: LineApi) -> None:
        self._api = api

    def bot(self) -> Bot:
        """Who the token speaks for."""
        told = self._api.get("/v2/bot/info")
        return Bot(_text(told, "displayName"), _text(told, "basicId"), _text(told, "chatMode") == "chat")

    def webhook(self) -> Webhook | None:
        """Where events go; None where no address is set."""
        try:
            told = self._api.get(_ENDPOINT)
        except NotFound:
            return None
        return Webhook(_text(told, "endpoint"), told.get("active") is True)

    def set_webhook(self, address: str) -> None:
        """Have events go there, by https."""
        self._api.put(_ENDPOINT, SetWebhookEndpointRequest(endpoint=address))

    def try_webhook(self, address: str) -> Trial:
        """Have LINE send a test event to an address, and say what became of it; 60 times an hour at most."""
        answer = self._api.post("/v2/bot/channel/webhook/test", TestWebhookEndpointRequest(endpoint=address))
        told = object_of(answer)
        return Trial(
            told.get("success") is True, _count(told, "statusCode"), _text(told, "reason"), _text(told, "detail")
        )

    def spent(self) -> Spent:
        """What of the month's messages is used up."""
        quota = self._api.get("/v2/bot/message/quota")
        used = self._api.get("/v2/bot/message/quota/consumption")
        return Spent(_count(used, "totalUsage"), None if _text(quota, "type") == "none" else _count(quota, "value"))


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise Odd(f"LINE tells no {name}")
    return value


def _count(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    if type(value) is not int:
        raise Odd(f"LINE tells no {name}")
    return value
