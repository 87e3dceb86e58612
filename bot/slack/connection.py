"""One WebSocket of Slack's Socket Mode, from its opening to its end."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from bot.errors import BadRequest
from bot.guard import check_size, json_object
from bot.platform import MAX_BODY_BYTES, WebhookResponse

log = logging.getLogger(__name__)

OPEN_WITHIN_S = 10.0
PING_EVERY_S = 10.0
"""A connection whose ping has no answer for so long again is broken."""
GRACE_S = 5.0
"""Slack waits three seconds for an acknowledgement: what came just before a parting is done by then."""
_QUIET = logging.getLogger("bot.slack.websockets")
_QUIET.setLevel(logging.CRITICAL + 1)  # the library logs what is sent, and the address with its ticket

Take = Callable[[dict[str, Any]], WebhookResponse]


class Connection:
    """A connection, and what is done with what comes on it.

    Attributes:
        opened: it is open, or will not be.
        parting: another one should take its place: it has ended, or Slack has said that it soon will.
    """

    def __init__(self, url: str, take: Take, hand_on: Callable[[Callable[[], None]], object]) -> None:
        """`take` gets what is in each envelope, in a thread to which `hand_on` gives the work."""
        self.opened, self.parting = threading.Event(), threading.Event()
        self._url = url
        self._take = take
        self._hand_on = hand_on
        self._connection: ClientConnection | None = None

    @property
    def is_open(self) -> bool:
        """Whether envelopes come on it."""
        return self._connection is not None

    def run(self) -> None:
        """Open it and listen until it ends."""
        try:
            with connect(
                self._url,
                open_timeout=OPEN_WITHIN_S,
                ping_interval=PING_EVERY_S,
                ping_timeout=PING_EVERY_S,
                close_timeout=1.0,  # Slack does not close its end after the handshake
                max_size=2 * MAX_BODY_BYTES,
                logger=_QUIET,
            ) as connection:
                self._connection = connection
                self.opened.set()
                while True:
                    self._heard(connection, connection.recv())
        except (OSError, WebSocketException) as error:  # every connection ends with one of them
            log.info("connection ended", extra={"platform": "slack", "reason": type(error).__name__})
        except RuntimeError:  # the process is ending: nobody is there any more to hand on to
            log.info("connection ended", extra={"platform": "slack", "reason": "ending"})
        finally:
            self._connection = None
            self.opened.set()
            self.parting.set()

    def retire(self) -> None:
        """Let it end soon: another one has taken its place, and only what came until now is still acknowledged here."""
        timer = threading.Timer(GRACE_S, self.close)
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """End it now."""
        connection = self._connection
        if connection is not None:
            connection.close()

    def _heard(self, connection: ClientConnection, raw: str | bytes) -> None:
        """One message of Slack's: an envelope, or a word about the connection itself."""
        try:
            body = raw.encode() if isinstance(raw, str) else raw
            check_size(body)
            message = json_object(body)
        except BadRequest as refused:
            log.warning("refused", extra={"platform": "slack", "reason": refused.reason})
            return
        envelope_id, payload = message.get("envelope_id"), message.get("payload")
        if message.get("type") == "disconnect":
            log.info("asked to part", extra={"platform": "slack"})
            self.parting.set()
        elif isinstance(envelope_id, str) and isinstance(payload, dict):
            self._hand_on(lambda: self._acknowledge(connection, envelope_id, payload))

    def _acknowledge(self, connection: ClientConnection, envelope_id: str, payload: dict[str, Any]) -> None:
        """Take an envelope; what cannot be taken now is left to come again."""
        try:
            answer = self._take(payload)
        except Exception:  # as a webhook is answered with 500
            log.exception("not acknowledged", extra={"platform": "slack"})
            return
        if answer.status != 200:
            log.warning("not acknowledged", extra={"platform": "slack", "status": answer.status})
            return
        with suppress(ConnectionClosed):  # it comes again on another one, and is known then
            connection.send(json.dumps({"envelope_id": envelope_id, **_payload(answer)}, ensure_ascii=False))


def _payload(answer: WebhookResponse) -> dict[str, Any]:
    """What goes back with the acknowledgement: the answer to a command or a dialog."""
    return {"payload": json.loads(answer.body)} if answer.media_type.startswith("application/json") else {}
