"""A fake Slack over real HTTP: the Web API on `/api/`, what a person sees on `GET /_visible`, faults by script.

In a test: `with FakeSlack() as slack: …` and `slack.api_url`. As a process: `python -m tests.fakes.slack --port N`,
where `POST /_say` (`channel`, `text`, `user`, `thread_ts`) writes as a person and answers with the envelopes that Slack
sends for it, `POST /_fault` (`method` and the fields of `Fault`) scripts a fault, `GET /_calls` counts calls.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.slack_events import BOT_USER, envelope
from tests.fakes.slack_socket import APP_TOKEN, SlackSocket
from tests.fakes.slack_tiers import Tiers
from tests.fakes.slack_workspace import Workspace

JSON = dict[str, Any]

TOKEN = "xoxb-fake-token"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call.

    Args:
        status: answered in place of 200 (429 with `retry_after`, 500, …), or 0.
        error: answered as `{"ok": false, "error": …}`.
        after_s: the answer is held back so long; the call is carried out at once.
        reset: the connection breaks `before` or `after` the call is carried out.
        taken: with a status, the call is carried out all the same.
        body: answered in the place of Slack's JSON, though the call is carried out.
        drips: the call is carried out, but the `head` or the `body` of the answer comes a byte a second.
    """

    status: int = 0
    error: str = ""
    retry_after: int | str = 1
    after_s: float = 0.0
    reset: str = ""
    taken: bool = False
    body: str = ""
    drips: Literal["", "head", "body"] = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One call as it came, whatever became of it; `at` by the monotonic clock."""

    method: str
    channel: str
    at: float


NO_FAULT = Fault()


class FakeSlack:
    """A running fake; `workspace` is what is behind it."""

    def __init__(self, *, token: str = TOKEN, port: int = 0) -> None:
        self.workspace = Workspace()
        self.tiers = Tiers()
        self.token = token
        self.socket: SlackSocket | None = None
        """The other end of Socket Mode, where it is turned on."""
        self.scopes = "chat:write"
        """What the bot token was granted, as every answer tells."""
        self._faults: dict[tuple[str, str], deque[Fault]] = defaultdict(deque)
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._listen(port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def api_url(self) -> str:
        """For `SLACK_API_URL`."""
        return f"{self.url}/api/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.workspace.files.closing.set()
        self.goes_down()

    def goes_down(self) -> None:
        """From now on connections are refused."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def comes_back(self) -> None:
        """Connections are taken again, at the same address."""
        self._listen(self._server.server_port)
        self._thread.start()

    def fail(self, method: str, *faults: Fault, channel: str = "") -> None:
        """The next calls of `method` (about that channel, or whichever) go wrong, one fault each."""
        self._faults[method, channel].extend(faults)

    def has_faults(self, *about: str) -> bool:
        """Whether a fault of one of these channels has not happened yet."""
        return any(faults for (_, channel), faults in self._faults.items() if channel in about)

    def next_fault(self, method: str, channel: str = "") -> Fault:
        self.asked.append(Asked(method, channel, time.monotonic()))
        faults = self._faults[method, channel] or self._faults[method, ""]
        return faults.popleft() if faults else Fault()

    def _listen(self, port: int) -> None:
        self._server = _Server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def visible(self, channel: str, thread_ts: str | None = None) -> list[str]:
        """What a person reads of the bot there."""
        return self.workspace.visible(channel, thread_ts)

    def answers(self, channel: str, thread_ts: str | None = None) -> list[str]:
        """What a person reads of the bot there that is a whole answer."""
        return self.workspace.answers(channel, thread_ts)

    def say(self, channel: str, text: str, *, user: str = "U1", thread_ts: str | None = None) -> list[JSON]:
        """A person writes (with a mention in a channel); the envelopes that Slack sends for it."""
        place = "im" if channel.startswith("D") else "channel"
        words = text if place == "im" else f"<@{BOT_USER}> {text}"
        message = self.workspace.say(channel, words, user=user, thread_ts=thread_ts)
        event = message | {"channel": channel, "event_ts": message["ts"]}
        as_message = envelope(event | {"channel_type": place})
        return [as_message] if place == "im" else [envelope(event | {"type": "app_mention"}), as_message]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, slack: FakeSlack, port: int) -> None:
        self.slack = slack
        super().__init__(("127.0.0.1", port), _Request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests."""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        if self.path.startswith("/files-pri/"):
            return self.server.slack.workspace.files.serve(self, self.server.slack.token)
        pages: dict[str, Callable[[], JSON]] = {
            "/_visible": self.server.slack.workspace.everything_visible,
            "/_calls": lambda: dict(self.server.slack.workspace.calls),
        }
        page = pages.get(self.path)
        return self._answer(200 if page else 404, page() if page else {})

    def do_POST(self) -> None:
        slack = self.server.slack
        path = urlsplit(self.path).path
        arguments = self._arguments()
        if path.startswith("/api/"):
            self._call(slack, path.removeprefix("/api/"), arguments)
        elif path.startswith("/_respond/"):
            self._respond(slack, path.removeprefix("/_respond/"), arguments)
        elif path == "/_say" and arguments:
            self._answer(200, {"envelopes": slack.say(arguments.pop("channel"), arguments.pop("text"), **arguments)})
        elif path == "/_fault" and arguments:
            slack.fail(arguments.pop("method"), Fault(**arguments))
            self._answer(200, {})
        else:
            self._answer(404, {})

    def _call(self, slack: FakeSlack, method: str, arguments: JSON | None) -> None:
        fault = slack.next_fault(method, _place(arguments or {}))
        if wait_s := slack.tiers.retry_after(method, _place(arguments or {})):
            fault = Fault(status=429, retry_after=wait_s)
        if fault.reset == "before":
            return self._reset()
        if not fault.status or fault.taken:
            answer = self._refusal(slack, method, arguments, fault) or self._done(slack, method, arguments or {})
        if fault.status:
            error = fault.error or ("ratelimited" if fault.status == 429 else "internal_error")
            return self._answer(fault.status, {"ok": False, "error": error}, fault)
        if fault.reset == "after":
            return self._reset()
        slack.closing.wait(fault.after_s)
        return self._answer(200, answer, fault)

    def _respond(self, slack: FakeSlack, name: str, said: JSON | None) -> None:
        """A response URL: it knows no token, and must not be shown one."""
        fault = slack.next_fault("response_url")
        if fault.reset == "before":
            return self._reset()
        if "authorization" in self.headers:
            return self._answer(400, {"ok": False, "error": "invalid_auth"})
        if not fault.status or fault.taken:
            status, answer = slack.workspace.interactions.respond(name, said)
        if fault.reset == "after":
            return self._reset()
        return self._answer(fault.status, {}, fault) if fault.status else self._answer(status, answer)

    @staticmethod
    def _done(slack: FakeSlack, method: str, arguments: JSON) -> JSON:
        if method != "apps.connections.open":
            return slack.workspace.call(method, arguments)
        return slack.socket.open() if slack.socket else {"ok": False, "error": "internal_error"}

    def _refusal(self, slack: FakeSlack, method: str, arguments: JSON | None, fault: Fault) -> JSON | None:
        """What Slack says before it looks at the method."""
        authorization = self.headers.get("authorization", "")
        if not authorization.startswith("Bearer "):
            return {"ok": False, "error": "not_authed"}
        needed = APP_TOKEN if method == "apps.connections.open" else slack.token
        if authorization != f"Bearer {needed}":
            return {"ok": False, "error": "invalid_auth"}
        if arguments is None:
            return {"ok": False, "error": "invalid_post_type"}
        return {"ok": False, "error": fault.error} if fault.error else None

    def _arguments(self) -> JSON | None:
        """The body's arguments; None when it is neither JSON nor a form."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        content_type = self.headers.get_content_type()
        if content_type == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode(), keep_blank_values=True))
        if content_type != "application/json":
            return None
        try:
            arguments = json.loads(body or b"{}")
        except ValueError:
            return None
        return arguments if isinstance(arguments, dict) else None

    def _answer(self, status: int, answer: Any, fault: Fault = NO_FAULT) -> None:
        body = fault.body.encode() or json.dumps(answer).encode()
        self.send_response(status)
        if fault.drips == "head":
            self._drip(b"x-slow: " + b"x" * 1_000)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.send_header("x-oauth-scopes", self.server.slack.scopes)
        if status == 429:
            self.send_header("retry-after", str(fault.retry_after))
        self.end_headers()
        if fault.drips == "body":
            self._drip(body)
        self.wfile.write(body)

    def _drip(self, content: bytes) -> None:
        """Send a byte a second, until the caller has had enough."""
        self.flush_headers()
        for byte in content:
            self.wfile.write(bytes([byte]))
            if self.server.slack.closing.wait(1):
                break
        raise ConnectionResetError

    def _reset(self) -> None:
        """Break the connection so that the client sees it (RST, not a clean end)."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Tests print what they need."""


def _place(arguments: JSON) -> str:
    """The channel that a call is about, under whichever name; of users.info the person."""
    return str(arguments.get("channel") or arguments.get("channel_id") or arguments.get("user") or "")


def main() -> None:
    """Run as a process of its own until it is ended."""
    parser = argparse.ArgumentParser(description="A fake Slack")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=TOKEN)
    options = parser.parse_args()
    with FakeSlack(token=options.token, port=options.port) as slack:
        print(f"SLACK_API_URL={slack.api_url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
