"""Slack's files: where their content is, who gets it, and what Slack answers to all others.

Who comes without the bot's token is sent to a sign-in page, which Slack shows with status 200; an app without the scope
`files:read` gets that page at once (vercel/eve#1531). Somebody else's server stands for every host that is not Slack's.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self

from tests.fakes.slack_channel import Refused, only
from tests.fakes.slack_events import BOT_USER, TEAM, envelope

if TYPE_CHECKING:
    from tests.fakes.slack import FakeSlack

JSON = dict[str, Any]
SIGN_IN = b"<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in</body></html>"

Trouble = Literal["", "endless", "cut", "hangs", "500", "429", "redirect"]


@dataclass
class Hosted:
    """A file that Slack keeps; `told` is what events say of it.

    Args:
        trouble: what becomes of everybody who asks for it: a body without end, one that ends early, none at all…
        leads_to: where a redirect goes.
    """

    content: bytes
    told: JSON
    trouble: Trouble = ""
    leads_to: str = ""
    deleted: bool = False
    asked: int = 0


class FakeFiles:
    """The files of a workspace, by their ids."""

    def __init__(self) -> None:
        self.hosted: dict[str, Hosted] = {}
        self.scoped = True
        """Whether the app has `files:read`."""
        self.closing = threading.Event()
        self._numbers = itertools.count(1)

    def add(self, url: str, name: str, content: bytes, *, mimetype: str = "text/plain", **told: Any) -> Hosted:
        """A person uploads a file; `told` takes the place of what events say of it."""
        file_id = f"F{next(self._numbers):04d}"
        where = f"{TEAM}-{file_id}"
        facts: JSON = {
            "id": file_id,
            "created": 1700000000,
            "timestamp": 1700000000,
            "name": name,
            "title": name,
            "mimetype": mimetype,
            "filetype": name.rpartition(".")[2],
            "user": "U1",
            "size": len(content),
            "mode": "hosted",
            "is_external": False,
            "url_private": f"{url}/files-pri/{where}/file",
            "url_private_download": f"{url}/files-pri/{where}/download/file",
            "permalink": f"https://mado.slack.com/files/U1/{file_id}/file",
            "file_access": "visible",
        }
        self.hosted[file_id] = Hosted(content, facts | told)
        return self.hosted[file_id]

    def info(self, arguments: JSON) -> JSON:
        """What files.info answers."""
        only(arguments, "file", "count", "cursor", "limit", "page")
        if not self.scoped:
            raise Refused("missing_scope")
        hosted = self.hosted.get(arguments["file"])
        if hosted is None or hosted.deleted:
            raise Refused("file_deleted" if hosted else "file_not_found")
        return {"file": hosted.told | {"file_access": "visible"}, "comments": []}

    def serve(self, request: BaseHTTPRequestHandler, token: str) -> None:
        """Answer a request for a file's content."""
        hosted = self.hosted.get(request.path.split("/")[2].removeprefix(f"{TEAM}-"))
        if request.headers.get("authorization") != f"Bearer {token}":
            return _send(request, 302, b"", location="https://mado.slack.com/?redir=%2Ffiles-pri")
        if not self.scoped:
            return _send(request, 200, SIGN_IN, content_type="text/html; charset=utf-8")
        if hosted is None or hosted.deleted:
            return _send(request, 404, b"")
        hosted.asked += 1
        return self._trouble(hosted, request) if hosted.trouble else self._content(hosted, request)

    def _content(self, hosted: Hosted, request: BaseHTTPRequestHandler) -> None:
        _send(request, 200, hosted.content, content_type=str(hosted.told["mimetype"]))

    def _trouble(self, hosted: Hosted, request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        if hosted.trouble == "redirect":
            return _send(request, 302, b"", location=hosted.leads_to)
        if hosted.trouble in ("500", "429"):
            return _send(request, int(hosted.trouble), b"", retry_after="0")
        if hosted.trouble == "hangs":
            self.closing.wait(60)
            return None
        request.send_response(200)
        request.send_header("content-type", "text/plain")
        if hosted.trouble == "cut":
            request.send_header("content-length", str(len(hosted.content) * 2))
        request.end_headers()
        request.wfile.write(hosted.content)
        while hosted.trouble == "endless" and not self.closing.is_set():
            request.wfile.write(b"x" * 65_536)
        return None


class Elsewhere:
    """Somebody else's server, which writes down what it was told."""

    def __init__(self) -> None:
        self.authorizations: list[str | None] = []
        listening = self

        class _Request(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listening.authorizations.append(self.headers.get("authorization"))
                _send(self, 200, b"mine")

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Request)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def drop(
    slack: FakeSlack, channel: str, *files: Hosted, text: str = "", user: str = "U1", thread_ts: str | None = None
) -> JSON:
    """A person drops files into a chat, with or without a word; the envelope that Slack sends for it.

    In a channel with a mention. A file that came with a message is told of as a `message` only.
    """
    place = "im" if channel.startswith("D") else "channel"
    words = text if place == "im" else f"<@{BOT_USER}> {text}".strip()
    message = slack.workspace.say(channel, words, user=user, thread_ts=thread_ts)
    shared = {"subtype": "file_share", "files": [file.told for file in files], "upload": False, "display_as_bot": False}
    return envelope(message | shared | {"channel": channel, "event_ts": message["ts"], "channel_type": place})


def _send(
    request: BaseHTTPRequestHandler, status: int, body: bytes, *, content_type: str = "text/plain", **headers: str
) -> None:
    request.send_response(status)
    request.send_header("content-type", content_type)
    request.send_header("content-length", str(len(body)))
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)
