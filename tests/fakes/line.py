"""A strict fake of LINE's Messaging API, over real HTTP.

In a test: `with FakeLine() as line: …`. By hand: `python -m tests.fakes.line --port N`; then `POST /_issue?chat=U…`
gives a reply token for a webhook that you sign yourself, and `GET /_visible` shows every chat as its readers see it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import secrets
import socket
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self
from urllib.parse import parse_qs, urlsplit

from linebot.v3.messaging import PushMessageRequest, ReplyMessageRequest, ShowLoadingAnimationRequest

from tests.fakes import line_flex
from tests.fakes.line_validation import Refused, checked

REPLY, PUSH, LOADING = "/v2/bot/message/reply", "/v2/bot/message/push", "/v2/bot/chat/loading/start"
QUOTA, CONSUMPTION = "/v2/bot/message/quota", "/v2/bot/message/quota/consumption"

_CHAT = re.compile(r"[UCR][0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Fault(Enum):
    """What goes wrong with one call."""

    RATE_LIMITED = auto()
    SERVER_ERROR = auto()
    SERVER_ERROR_AFTER_ACCEPTING = auto()
    SLOW = auto()
    """Accepted at once, answered when the fake is closed: the caller's time-out comes first."""
    RESET_BEFORE_ACCEPTING = auto()
    RESET_AFTER_ACCEPTING = auto()
    FORBIDDEN = auto()
    BAD_REQUEST = auto()
    DRIPPING = auto()
    """Accepted, answered with a byte a second."""
    NOT_JSON = auto()
    """A proxy in between answers 502 with bytes that are not UTF-8."""


ACCEPTING = (Fault.RESET_AFTER_ACCEPTING, Fault.SERVER_ERROR_AFTER_ACCEPTING, Fault.SLOW, Fault.DRIPPING)


@dataclass(frozen=True)
class Response:
    """What is answered to a call of a further endpoint: this, or what goes wrong instead.

    Args:
        headers: further ones, or others: a `content-length` beyond the body's is one that ends early.
    """

    status: int = 200
    body: bytes = b"{}"
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None


class Endpoints(Protocol):
    """Further endpoints of LINE's, each set in a module of its own, with its own state."""

    def answer(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Response | None:
        """The answer to an authorised call; None for an address that is not theirs. May raise `Refused`."""
        ...


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass
class ReplyTokenState:
    chat_id: str
    issued_at: float
    used: bool = False


@dataclass
class FakeLine:
    """LINE, as far as a bot can tell."""

    access_token: str = "line-access-token"
    token_life_s: float = 60.0
    monthly_limit: int | None = 200
    port: int = 0
    clock: Callable[[], float] = time.time
    calls: list[Call] = field(default_factory=list)
    pushes: int = 0
    members: dict[str, int] = field(default_factory=dict)
    """How many people are in a group or room; a push counts them all."""
    further: list[Endpoints] = field(default_factory=list)
    _chats: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    _tokens: dict[str, ReplyTokenState] = field(default_factory=dict)
    _retry_keys: dict[str, str] = field(default_factory=dict)
    _faults: dict[tuple[str, str], deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closing: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.goes_down()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def issue_token(self, chat_id: str) -> str:
        """A fresh reply token for a chat, as a webhook event carries it."""
        token = secrets.token_hex(16)
        self._tokens[token] = ReplyTokenState(chat_id, self.clock())
        return token

    def goes_down(self) -> None:
        """From now on connections are refused."""
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def comes_back(self) -> None:
        """Connections are taken again, at the same address."""
        self.__enter__()

    def go_wrong(self, path: str, *faults: Fault, chat_id: str = "") -> None:
        """Let the next calls of a path (about that chat, or whichever) fail, one after the other."""
        self._faults[path, chat_id].extend(faults)

    def has_faults(self, *about: str) -> bool:
        """Whether a fault of one of these chats has not happened yet."""
        return any(faults for (_, chat_id), faults in list(self._faults.items()) if chat_id in about)

    def next_fault(self, call: Call) -> Fault | None:
        token = self._tokens.get(call.body.get("replyToken", ""))
        chat_id = token.chat_id if token else call.body.get("to") or call.body.get("chatId")
        faults = self._faults[call.path, str(chat_id)] or self._faults[call.path, ""]
        return faults.popleft() if faults else None

    def visible(self, chat_id: str) -> list[str]:
        """What the chat shows, oldest first; what a card says is told with the text that it stands below."""
        shown: list[str] = []
        for message in self.messages(chat_id):
            if message["type"] == "flex" and shown:
                shown[-1] += f"\n\n{_shown(message)}"
            else:
                shown.append(_shown(message))
        return shown

    def messages(self, chat_id: str) -> list[dict[str, Any]]:
        """The chat's messages as LINE was given them, oldest first."""
        with self._lock:
            return list(self._chats[chat_id])

    def buttons(self, chat_id: str) -> list[str]:
        """The postback data of every button of a template in the chat."""
        return [action["data"] for action in self._actions(chat_id)]

    def labels(self, chat_id: str) -> list[str]:
        """What these buttons say."""
        return [action["label"] for action in self._actions(chat_id)]

    def _actions(self, chat_id: str) -> list[dict[str, Any]]:
        templates = [m["template"] for m in self.messages(chat_id) if m["type"] == "template"]
        return [action for template in templates for action in template["actions"]]

    def calls_of(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def told_of_quota(self, method: str, path: str) -> Response | None:
        """The month's quota, or what is used of it; None for another address."""
        limit = {"type": "none"} if self.monthly_limit is None else {"type": "limited", "value": self.monthly_limit}
        told = {("GET", QUOTA): limit, ("GET", CONSUMPTION): {"totalUsage": self.pushes}}.get((method, path))
        return Response(body=json.dumps(told).encode()) if told else None

    def accept(self, call: Call) -> tuple[int, dict[str, Any]]:
        """Status and body for a call that no fault touches."""
        accept = {REPLY: self._reply, PUSH: self._push, LOADING: self._loading}
        with self._lock:
            return accept[call.path](call)

    def _reply(self, call: Call) -> tuple[int, dict[str, Any]]:
        if "x-line-retry-key" in call.headers:
            raise Refused(400, "The retry key is not supported by this API")
        messages = checked(call.body, ReplyMessageRequest)["messages"]
        token = self._tokens.get(call.body["replyToken"])
        if token is None or token.used or self.clock() - token.issued_at > self.token_life_s:
            raise Refused(400, "Invalid reply token")
        token.used = True
        return 200, self._show(token.chat_id, messages)

    def _push(self, call: Call) -> tuple[int, dict[str, Any]]:
        request = checked(call.body, PushMessageRequest)
        key = call.headers.get("x-line-retry-key")
        if key is not None and not _UUID.fullmatch(key):
            raise Refused(400, "Retry key must be a valid UUID")
        if key in self._retry_keys:
            raise Refused(409, "The retry key is already accepted", x_line_accepted_request_id=self._retry_keys[key])
        if not _CHAT.fullmatch(request["to"]):
            raise Refused(400, "The property, 'to', in the request body is invalid")
        recipients = self.members.get(request["to"], 1)
        if self.monthly_limit is not None and self.pushes + recipients > self.monthly_limit:
            raise Refused(429, "You have reached your monthly limit.")
        self.pushes += recipients
        if key is not None:
            self._retry_keys[key] = secrets.token_hex(8)
        return 200, self._show(request["to"], request["messages"])

    def _loading(self, call: Call) -> tuple[int, dict[str, Any]]:
        request = checked(call.body, ShowLoadingAnimationRequest)
        if not _CHAT.fullmatch(request["chatId"]) or not request["chatId"].startswith("U"):
            raise Refused(400, "The value of the chatId is invalid", "chatId")
        if request.get("loadingSeconds", 20) % 5:
            raise Refused(400, "The value of loadingSeconds is invalid", "loadingSeconds")
        return 202, {}

    def _show(self, chat_id: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
        self._chats[chat_id].extend(messages)
        return {"sentMessages": [{"id": str(secrets.randbits(60)), "quoteToken": "yHAz4Ua2wx7"} for _ in messages]}


def _shown(message: Mapping[str, Any]) -> str:
    if message["type"] == "flex":
        return line_flex.shown(message)
    shown = message["template"]["text"] if message["type"] == "template" else message.get("text", message["type"])
    return str(shown)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, line: FakeLine) -> None:
        self.line = line
        self._connections: list[socket.socket] = []
        super().__init__(("127.0.0.1", line.port), _Request)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.append(request)
        super().process_request(request, client_address)

    def hang_up(self) -> None:
        """End the connections that callers keep open, so that nobody waits for their next request."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        line, path = self.server.line, urlsplit(self.path).path
        if path == "/_visible":
            self._answer(200, {chat: line.visible(chat) for chat in list(line._chats)})
        else:
            self._further(b"")

    def do_POST(self) -> None:
        line, address = self.server.line, urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        if address.path == "/_issue":
            self._answer(200, {"replyToken": line.issue_token(parse_qs(address.query)["chat"][0])})
        elif address.path not in (REPLY, PUSH, LOADING):
            self._further(content)
        elif not self._authorised():
            self._answer(401, _UNAUTHORISED)
        else:
            self._call(content)

    def do_PUT(self) -> None:
        self._further(self.rfile.read(int(self.headers.get("content-length", 0))))

    def do_DELETE(self) -> None:
        self._further(b"")

    def _further(self, content: bytes) -> None:
        """A call of an endpoint that another module has."""
        if not self._authorised():
            self._answer(401, _UNAUTHORISED)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answers = (more.answer(self.command, self.path, content, headers) for more in self.server.line.further)
            response = next(filter(None, answers), None) or self.server.line.told_of_quota(self.command, self.path)
        except Refused as refused:
            self._answer(refused.status, refused.body, refused.headers)
            return
        if response is None:
            self._answer(404, {"message": "Not found"})
        elif response.fault:
            self._fail(response.fault)
        else:
            self._send(response.status, response.body, response.media_type, response.headers)

    def _call(self, content: bytes) -> None:
        line, path = self.server.line, urlsplit(self.path).path
        try:
            call = Call(path, _json_object(content, self.headers), {k.lower(): v for k, v in self.headers.items()})
            line.calls.append(call)
            fault = line.next_fault(call)
            if fault is None or fault in ACCEPTING:
                status, answer = line.accept(call)
        except Refused as refused:
            self._answer(refused.status, refused.body, refused.headers)
            return
        if fault is None:
            self._answer(status, answer)
        else:
            self._fail(fault)

    def _fail(self, fault: Fault) -> None:
        match fault:
            case Fault.RATE_LIMITED:
                self._answer(429, {"message": "The API rate limit has been exceeded. Try again later."})
            case Fault.FORBIDDEN:
                self._answer(403, {"message": "Access to this API is not available for your account"})
            case Fault.BAD_REQUEST:
                self._answer(400, {"message": "The request body has 1 error(s)"})
            case Fault.DRIPPING:
                self._drip()
            case Fault.SERVER_ERROR | Fault.SERVER_ERROR_AFTER_ACCEPTING:
                self._answer(500, {"message": "The API server is experiencing an error"})
            case Fault.NOT_JSON:
                self._send(502, "一時的なエラー".encode("shift_jis"), "text/html", {})
            case Fault.SLOW:
                self.server.line._closing.wait(30)
                self.close_connection = True
            case Fault.RESET_BEFORE_ACCEPTING | Fault.RESET_AFTER_ACCEPTING:
                # Linger of zero: closing sends a reset instead of an orderly end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()

    def _drip(self) -> None:
        """Answer a byte a second, until the caller has had enough."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}":
                self.wfile.write(bytes([byte]))
                if self.server.line._closing.wait(1):
                    return

    def _authorised(self) -> bool:
        return self.headers.get("authorization") == f"Bearer {self.server.line.access_token}"

    def _answer(self, status: int, answer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(answer).encode(), "application/json", headers or {})

    def _send(self, status: int, content: bytes, media_type: str, headers: Mapping[str, str]) -> None:
        usual = {"content-type": media_type, "x-line-request-id": secrets.token_hex(16)}
        told = usual | {"content-length": str(len(content))} | dict(headers)
        self.close_connection = self.close_connection or told["content-length"] != str(len(content))
        self.send_response(status)
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


_UNAUTHORISED = {
    "message": "Authentication failed. Confirm that the access token in the authorization header is valid."
}


def _json_object(content: bytes, headers: Any) -> dict[str, Any]:
    if headers.get("content-type", "").split(";")[0] != "application/json":
        raise Refused(415, "Unsupported media type")
    try:
        value = json.loads(content)
    except ValueError as error:
        raise Refused(400, "The request body could not be parsed as JSON") from error
    if not isinstance(value, dict):
        raise Refused(400, "The request body could not be parsed as JSON")
    return value


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9102)
    parser.add_argument("--access-token", default="line-access-token")
    options = parser.parse_args()
    with FakeLine(access_token=options.access_token, port=options.port) as line:
        print(f"a fake LINE at {line.url}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
