"""One request and its answer: bounded in time and in bytes, whatever the server does."""

from __future__ import annotations

import gzip
import io
import re
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from ssl import SSLContext

import httpcore
import httpx

from knowledge.web.addresses import Resolve
from knowledge.web.connection import DEADLINE_S, CheckedBackend, Tick, Watch
from knowledge.web.errors import Refused, Unreachable

MAX_BYTES = 20_000_000
USER_AGENT = f"madoguchi/{version('madoguchi')}"
_OK = 200
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; `content` is decompressed, and read of a 200 only."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def media_type(self) -> str:
        """The content's type without its parameters, lower case."""
        return _media_type(self.headers)

    @property
    def charset(self) -> str:
        """The content's encoding as the server names it, lower case; may be empty."""
        named = _CHARSET.search(self.headers.get("content-type", ""))
        return named[1].lower() if named else ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Asks servers, each time over a connection of its own to an address that was checked."""

    resolve: Resolve
    allow_private: bool
    tick: Tick

    def get(self, address: str, *, headers: Mapping[str, str], readable: Callable[[str], bool]) -> Answer:
        """The answer to a GET; no redirect is followed.

        Args:
            readable: of which media types a content is read.

        Raises:
            Unreachable: no answer, none in time, or a broken one.
            Refused: a private address, a content of another type, or too large.
        """
        url = httpx.URL(address)
        watch = Watch(self.tick, time.monotonic() + DEADLINE_S)
        backend = CheckedBackend(self.resolve, allow_private=self.allow_private, watch=watch)
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        sent = [("Host", url.netloc.decode("ascii")), ("User-Agent", USER_AGENT), ("Accept-Encoding", "gzip")]
        try:
            with (
                httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend) as pool,
                pool.stream("GET", target, headers=[*sent, *headers.items()]) as response,
            ):
                return _answer(response, readable)
        except httpcore.TimeoutException as error:
            raise Unreachable("no answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Unreachable("no connection, or a broken one") from error


def decompressed(content: bytes) -> bytes:
    """What gzip has packed.

    Raises:
        Unreachable: it is damaged.
        Refused: it is too large.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            unpacked = packed.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreachable("broken compression") from error
    _check_size(unpacked)
    return unpacked


def _answer(response: httpcore.Response, readable: Callable[[str], bool]) -> Answer:
    headers = httpx.Headers(response.headers)
    if response.status != _OK:
        return Answer(response.status, headers, b"")
    if not readable(_media_type(headers)):
        raise Refused(f"not a kind of page that is read: {_media_type(headers)[:80] or 'of no type'}")
    content = bytearray()
    for piece in response.iter_stream():
        content += piece
        _check_size(content)
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return Answer(_OK, headers, decompressed(bytes(content)))
    if encoding != "identity":
        raise Refused("compressed in a way that was not asked for")
    return Answer(_OK, headers, bytes(content))


def _check_size(content: bytes | bytearray) -> None:
    if len(content) > MAX_BYTES:
        raise Refused(f"larger than {MAX_BYTES // 1_000_000} MB")


def _media_type(headers: httpx.Headers) -> str:
    return str(headers.get("content-type", "")).partition(";")[0].strip().lower()


@cache
def _tls() -> SSLContext:
    return httpx.create_ssl_context()  # SSL_CERT_FILE counts: a company's own authority
