"""Slack's end of Socket Mode: apps.connections.open, a real WebSocket, envelopes that come again until acknowledged.

Strict: one use of an address; an acknowledgement is JSON, comes on the connection on which its envelope was sent, and
has a payload only where that is accepted. Commands and interactions are never sent again (docs.slack.dev, Socket Mode).
"""

from __future__ import annotations

import itertools
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from tests.fakes.slack_events import APP

JSON = dict[str, Any]
Kind = Literal["events_api", "interactive", "slash_commands"]
APP_TOKEN = "xapp-1-A0MADO-1-fake"
MOST_CONNECTIONS = 10


@dataclass
class Envelope:
    """What was sent, how often, and what came back."""

    kind: Kind
    payload: JSON
    id: str
    tries: int = 0
    sent_at: float = 0.0
    acknowledged: bool = False
    answer: JSON = field(default_factory=dict)
    on: ServerConnection | None = None


class SlackSocket:
    """A running fake; `deliver` sends an envelope to one of the connections that are open."""

    def __init__(self, *, again_after_s: float = 3.0) -> None:
        self.again_after_s = again_after_s
        self.refused: list[str] = []
        """What a strict Slack would not have taken."""
        self.opened = 0
        """How many addresses were given out."""
        self.disabled = False
        self._tickets: set[str] = set()
        self._connections: list[ServerConnection] = []
        self._envelopes: dict[str, Envelope] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        self._server: Server = serve(self._connected, "127.0.0.1", 0)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        threading.Thread(target=self._send_again, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for connection in list(self._connections):
            connection.close()
        self._server.shutdown()

    def open(self) -> JSON:
        """The answer to apps.connections.open."""
        self.opened += 1
        if self.disabled:
            return {"ok": False, "error": "not_allowed_token_type"}
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        port = self._server.socket.getsockname()[1]
        return {"ok": True, "url": f"ws://127.0.0.1:{port}/link/?ticket={ticket}&app_id={APP}"}

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def deliver(self, payload: JSON, kind: Kind = "events_api") -> Envelope:
        """Send it, now or as soon as there is a connection."""
        with self._lock:
            envelope = Envelope(kind, payload, f"envelope-{next(self._numbers)}")
            self._envelopes[envelope.id] = envelope
            self._send(envelope)
        return envelope

    def disconnect(self, reason: str, *, close: bool = True) -> None:
        """Tell every connection that it ends; with `close` it ends at once."""
        for connection in list(self._connections):
            connection.send(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}}))
            if close:
                connection.close()

    def break_off(self) -> None:
        """Every connection is gone, without a word."""
        for connection in list(self._connections):
            connection.close_socket()

    def say_raw(self, text: str) -> None:
        """Send text that Slack would not."""
        self._connections[-1].send(text)

    def _connected(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        ticket = connection.request.path.rpartition("ticket=")[2].partition("&")[0]
        with self._lock:
            if ticket not in self._tickets or len(self._connections) >= MOST_CONNECTIONS:
                self.refused.append("connection")
                return
            self._tickets.discard(ticket)
            hello = {"type": "hello", "num_connections": len(self._connections) + 1, "connection_info": {"app_id": APP}}
            connection.send(json.dumps(hello))
            self._connections.append(connection)
        try:
            for text in connection:
                self._acknowledged(connection, text)
        except ConnectionClosed:
            pass
        finally:
            self._connections.remove(connection)

    def _acknowledged(self, connection: ServerConnection, text: str | bytes) -> None:
        try:
            said = json.loads(text)
            envelope = self._envelopes[said["envelope_id"]]
        except (ValueError, KeyError, TypeError):
            self.refused.append(str(text))
            return
        odd = said.keys() - {"envelope_id", "payload"} or ("payload" in said and envelope.kind == "events_api")
        if odd or envelope.on is not connection:
            self.refused.append(str(text))
            return
        in_time = time.monotonic() - envelope.sent_at <= 3.0
        envelope.acknowledged = envelope.acknowledged or in_time
        envelope.answer = said.get("payload", {})

    def _send(self, envelope: Envelope) -> None:
        if not self._connections:
            return
        connection = self._connections[envelope.tries % len(self._connections)]
        again = {"retry_attempt": envelope.tries, "retry_reason": "timeout" if envelope.tries else ""}
        told = {
            "envelope_id": envelope.id,
            "payload": envelope.payload,
            "type": envelope.kind,
            "accepts_response_payload": envelope.kind != "events_api",
        } | (again if envelope.kind == "events_api" else {})
        try:
            connection.send(json.dumps(told))
        except ConnectionClosed:
            return
        envelope.on = connection
        envelope.tries += 1
        envelope.sent_at = time.monotonic()

    def _send_again(self) -> None:
        while not self._closing.wait(0.1):
            with self._lock:
                for envelope in self._envelopes.values():
                    silent = not envelope.acknowledged and time.monotonic() - envelope.sent_at > self.again_after_s
                    if silent and (envelope.kind == "events_api" or not envelope.tries):
                        self._send(envelope)
