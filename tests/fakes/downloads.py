"""A package index and a model hub in one small HTTP server, strict enough for pip and huggingface_hub themselves."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Downloads:
    """What is served, and what was asked for."""

    def __init__(self) -> None:
        self.wheels: dict[str, dict[str, bytes]] = {}
        self.hub: dict[str, bytes] = {}
        self.announced: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.held: set[str] = set()
        self.release = threading.Event()
        self.asked: list[str] = []
        self.url = ""

    def put_wheel(self, package: str, version: str, wheel: bytes) -> None:
        """Offer a wheel."""
        name = f"{package.replace('-', '_')}-{version}-py3-none-any.whl"
        self.wheels.setdefault(package, {})[name] = wheel

    def body(self, path: str) -> bytes | None:
        """What is at that path."""
        match path.strip("/").split("/"):
            case ["simple", package] if package in self.wheels:
                links = (f'<a href="/files/{package}/{name}">{name}</a>' for name in self.wheels[package])
                return "".join(links).encode()
            case ["files", package, name]:
                return self.wheels[package][name]
            case [owner, repo, "resolve", revision, *file]:
                return self.hub.get(f"{owner}/{repo}/{'/'.join(file)}@{revision}")
        return None

    def times_asked(self, part_of_path: str) -> int:
        """How many GETs had this in their path."""
        return sum(part_of_path in asked for asked in self.asked)


def wheel(package: str, version: str, members: dict[str, bytes]) -> bytes:
    """A wheel that pip takes, with these members."""
    info = f"{package.replace('-', '_')}-{version}.dist-info"
    members |= {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in members))
    return file.getvalue()


@contextmanager
def serve(downloads: Downloads) -> Iterator[Downloads]:
    """Serve them on a free port of the loopback address."""

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            downloads.asked.append(self.path)
            if any(part in self.path for part in downloads.held):
                downloads.release.wait(30)
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            body = downloads.body(self.path)
            self.send_response(404 if body is None else 200)
            body = body or b""
            self.send_header("Content-Length", str(len(body)))
            if "/resolve/" in self.path:
                announced = downloads.announced.get(self.path.rsplit("/", 1)[-1], body)
                self.send_header("ETag", f'"{hashlib.sha256(announced).hexdigest()}"')
                self.send_header("X-Linked-Size", str(len(announced)))
                self.send_header("X-Repo-Commit", COMMIT)
            else:
                self.send_header("Content-Type", "application/octet-stream" if "/files/" in self.path else "text/html")
            self.end_headers()
            if with_body:
                cut = any(part in self.path for part in downloads.cut)
                self.wfile.write(body[: len(body) // 2] if cut else body)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        downloads.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield downloads
        downloads.release.set()
        server.shutdown()
        thread.join()
