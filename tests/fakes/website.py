"""A fake website over real HTTP, under as many names as it is given; strict about visitors' manners."""

from __future__ import annotations

import gzip
import hashlib
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Self
from urllib.parse import unquote

from protego import Protego

HOST = "site.test"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is at a path.

    Args:
        etag: whether the reply has one, so that an unchanged one is a 304.
        modified: its Last-Modified, which does the same.
        seconds_per_byte: how slowly the body, or `raw`, is sent.
        raw: sent in the place of everything, and then the connection is closed.
    """

    body: bytes = b""
    status: int = 200
    media_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    etag: bool = True
    modified: str = ""
    seconds_per_byte: float = 0.0
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came; `at` in seconds, of its beginning."""

    host: str
    path: str
    headers: dict[str, str]
    at: float


class FakeWebsite:
    """A running website; use it as a context. `offences` has what a polite visitor does not do.

    Args:
        tls: with its certificate; without, it speaks plain HTTP.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.replies: dict[str, Reply | list[Reply]] = {}
        self.asked: list[Asked] = []
        self.offences: list[str] = []
        self.addresses: dict[str, list[str]] = {HOST: ["127.0.0.1"]}
        self.resolved: list[str] = []
        self.busy = threading.Lock()
        self.serving: socket.socket | None = None

    def __enter__(self) -> Self:
        self._listen(0)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def start_again(self) -> None:
        """Listen again, at the same port."""
        self._listen(self.port)

    def resolve(self, host: str, port: int) -> list[str]:
        """The site's own system of names."""
        self.resolved.append(host)
        if host not in self.addresses:
            raise OSError("no such name")
        return self.addresses[host]

    def url(self, path: str, host: str = HOST) -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def put(self, path: str, body: str | bytes, **facts: object) -> str:
        """Have this at a path; its address."""
        self.replies[path] = Reply(body.encode() if isinstance(body, str) else body, **facts)  # type: ignore[arg-type]
        return self.url(path)

    def page(self, path: str, text: str, head: str = "", **facts: object) -> str:
        """Have an HTML page with this text at a path; its address."""
        html = f"<html><head><title>{path}</title>{head}</head><body><p>{text}</p></body></html>"
        return self.put(path, html, **facts)

    def sitemap(self, path: str, *addresses: str, kind: str = "url", packed: bool = False) -> str:
        """Have a sitemap, or with kind `sitemap` an index of sitemaps, at a path; its address."""
        root = "urlset" if kind == "url" else "sitemapindex"
        entries = "".join(f"<{kind}><loc>{address}</loc></{kind}>" for address in addresses)
        xml = f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{root}>'
        if packed:
            return self.put(path, gzip.compress(xml.encode()), media_type="application/gzip")
        return self.put(path, xml, media_type="application/xml")

    def robots(self, text: str) -> None:
        self.put("/robots.txt", text, media_type="text/plain")

    def paths(self) -> list[str]:
        """What was asked for, without robots.txt."""
        return [asked.path for asked in self.asked if asked.path != "/robots.txt"]

    def reply_to(self, path: str) -> Reply:
        found = self.replies.get(path, Reply(status=404, etag=False))
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found

    def look_at(self, asked: Asked) -> None:
        """Note who asks for what, and what is wrong with that."""
        self.asked.append(asked)
        if not asked.headers.get("user-agent", "").startswith("madoguchi/"):
            self.offences.append(f"{asked.path}: says not who it is")
        rules = self.replies.get("/robots.txt")
        text = rules.body.decode("utf-8", "replace") if isinstance(rules, Reply) and rules.status == 200 else ""
        if asked.path != "/robots.txt" and not Protego.parse(text).can_fetch(asked.path, "madoguchi"):
            self.offences.append(f"{asked.path}: robots.txt does not allow it")

    def _listen(self, port: int) -> None:
        site = self

        class Bound(_Requests):
            site_of = site

        self._server: BaseServer = _Server(("127.0.0.1", port), Bound)
        if self._tls:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()


def _has_left(visitor: socket.socket | None) -> bool:
    """Whether the other side has closed the connection."""
    try:
        return visitor is not None and visitor.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None:
        """Visitors may leave at any time."""


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site_of: FakeWebsite

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        site, path = self.site_of, unquote(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not site.busy.acquire(blocking=False):
            if not _has_left(site.serving):
                site.offences.append(f"{path}: asked beside another request")
            site.busy.acquire()
        site.serving = self.connection
        try:
            site.look_at(Asked(headers.get("host", "").partition(":")[0], path, headers, time.monotonic()))
            self._send(site.reply_to(path), headers)
        finally:
            site.busy.release()

    def _send(self, reply: Reply, asked: dict[str, str]) -> None:
        if reply.raw:
            self._drip(reply.raw, reply.seconds_per_byte)
            self.close_connection = True
            return
        etag = f'"{hashlib.sha256(reply.body).hexdigest()[:16]}"' if reply.etag else ""
        unchanged = (etag and asked.get("if-none-match") == etag) or (
            reply.modified and asked.get("if-modified-since") == reply.modified
        )
        status = 304 if reply.status == 200 and unchanged else reply.status
        body = b"" if status == 304 else reply.body
        facts = {"Content-Type": reply.media_type, "ETag": etag, "Last-Modified": reply.modified}
        self.send_response(status)
        for name, value in {**facts, "Content-Length": str(len(body)), **reply.headers}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self._drip(body, reply.seconds_per_byte)

    def _drip(self, body: bytes, seconds_per_byte: float) -> None:
        if not seconds_per_byte:
            self.wfile.write(body)
            return
        for byte in body:
            self.wfile.write(bytes([byte]))
            time.sleep(seconds_per_byte)
