"""LINE's webhook: verified, made durable event by event, and only then answered with 200."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import time
from typing import Any

from bot.access import Access
from bot.errors import BadRequest, StoreUnavailable
from bot.guard import check_size, json_object
from bot.inbox import Accepted, Inbox
from bot.line.admission import at_the_door
from bot.line.calling import NO_WORDS, CallWords, Listening
from bot.line.events import delivery_id, translate
from bot.line.sent import SentMessages
from bot.line.sightings import kind_of
from bot.messages import Message
from bot.platform import WebhookRequest, WebhookResponse
from bot.sightings import Sightings
from bot.store import store_errors

log = logging.getLogger(__name__)


class LineFrontDoor:
    """A FrontDoor for one LINE channel."""

    def __init__(self, channel_secret: str, inbox: Inbox, access: Access, call_words: CallWords = NO_WORDS) -> None:
        self._secret = channel_secret.encode()
        self._inbox = inbox
        self._access = access
        self._listening = Listening(call_words, SentMessages(inbox.store).ours, access.admins, self._knows)
        self._sightings = Sightings(inbox.store, "line")

    def handle(self, request: WebhookRequest) -> WebhookResponse:
        """200 when every event that concerns us is durable; 400, 401, 413 for what LINE never sends.

        503 when the store is down or a conversation is full; the events that were taken in by then are known by their
        ids when LINE delivers the body again.
        """
        try:
            events = self._events(request)
            taken_in = [self._take_in(event) for event in events]
        except BadRequest as refused:
            log.warning("refused", extra={"platform": "line", "status": refused.status, "reason": refused.reason})
            return WebhookResponse(refused.status, refused.reason)
        except StoreUnavailable as error:
            log.error("store unavailable", extra={"platform": "line", "error": type(error.__cause__).__name__})
            return WebhookResponse(503, "try again")
        for event in events:
            self._sightings.note(kind_of(event))
        return WebhookResponse(200, "ok") if all(taken_in) else WebhookResponse(503, "try again")

    def _events(self, request: WebhookRequest) -> list[Any]:
        check_size(request.body)
        if not signed(self._secret, request.body, request.headers.get("x-line-signature", "")):
            raise BadRequest(401, "not signed by LINE")
        events = json_object(request.body).get("events")
        if not isinstance(events, list):
            raise BadRequest(400, "no list of events")
        return events

    def _take_in(self, event: Any) -> bool:
        """Make one event durable; False when its conversation has no room."""
        said = translate(event, time.time(), self._listening)
        ours = at_the_door(said, self._access) if said else None
        if ours is None:
            return True
        if isinstance(ours, Message):
            return self._inbox.accept(ours, delivery_id(event)) is not Accepted.FULL
        self._inbox.control(ours, delivery_id(event))
        return True

    def _knows(self, message_id: str) -> bool:
        """Whether the message was for the bot."""
        with store_errors():
            return bool(self._inbox.store.exists(f"seen:{message_id}", f"about:{message_id}"))


def signed(secret: bytes, body: bytes, signature: str) -> bool:
    """Whether the signature is LINE's over exactly these bytes, compared in constant time.

    The SDK's validator takes text only, so the body would be decoded before it is verified.
    """
    expected = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest())
    return hmac.compare_digest(expected, signature.encode("utf-8", "replace"))
