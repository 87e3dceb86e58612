"""HTTP calls to one platform: each is over in time, however slowly its answer comes, and only so many are under way.

A socket's time-out begins anew with every byte, so that an answer of a byte a second takes for ever. Here the
connection is broken when the call's own time is over: nothing that it had not sent by then is sent afterwards.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from bot.errors import DeliveryDeferred, DeliveryUnknown

TIMEOUT_S = 8.0
"""Shorter than the life of a conversation's lock, so that a call ends while its caller still owns the conversation."""
AT_ONCE = 16
ROOM_WITHIN_S = 1.0
"""Wait for a call of others to end; who waits longer than this keeps a thread from those who could use it."""
LONGEST_WAIT_S = 3600.0
"""What a platform may ask us to wait, at most; more than this is a mistake of its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform answered: the status (any), the headers (looked up in whichever case), the body."""

    status: int
    headers: Message
    body: bytes

    @property
    def retry_after_s(self) -> float | None:
        """Seconds that the platform asks to be left alone; None when it does not say, or says nonsense."""
        return seconds(self.headers.get("retry-after", ""))


class Calls:
    """Makes the calls to one platform, `at_once` of them at most: one that hangs holds no more threads than these."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._room = threading.BoundedSemaphore(at_once)
        self._opener = build_opener(_Plain, _Secure(context=ssl.create_default_context()), _NoRedirects)

    def post(self, request: Request, timeout_s: float = TIMEOUT_S) -> Answer:
        """What the platform answered, whatever its status.

        Raises:
            DeliveryDeferred: nothing was sent.
            DeliveryUnknown: it may have been taken.
        """
        return self._made(request, timeout_s, None)

    def get(self, request: Request, *, most_bytes: int, timeout_s: float = TIMEOUT_S) -> Answer:
        """What the platform answered, of its body at most `most_bytes` and one: who gets that one knows of more.

        Raises:
            DeliveryDeferred: nothing came, or less than was announced; asking again does no harm.
        """
        try:
            return self._made(request, timeout_s, most_bytes)
        except DeliveryUnknown as error:
            raise DeliveryDeferred(str(error)) from error

    def _made(self, request: Request, timeout_s: float, most_bytes: int | None) -> Answer:
        if not self._room.acquire(timeout=ROOM_WITHIN_S):
            raise DeliveryDeferred("too many calls under way")
        try:
            with _deadline(timeout_s):
                return self._answer(request, timeout_s, most_bytes)
        except URLError as error:
            if isinstance(error.reason, ConnectionRefusedError | socket.gaierror | _TooLate):
                raise DeliveryDeferred("not reachable") from error
            raise DeliveryUnknown(type(error.reason).__name__) from error
        except (OSError, http.client.HTTPException) as error:
            raise DeliveryUnknown(type(error).__name__) from error
        finally:
            self._room.release()

    def _answer(self, request: Request, timeout_s: float, most_bytes: int | None) -> Answer:
        try:
            response: Any = self._opener.open(request, timeout=timeout_s)
        except HTTPError as refusal:
            response = refusal
        with response:
            return Answer(response.status, response.headers, _body(response, most_bytes))


def _body(response: Any, most_bytes: int | None) -> bytes:
    """The body, or its first `most_bytes` and one.

    Raises:
        http.client.IncompleteRead: it ended before.
    """
    if most_bytes is None:
        body: bytes = response.read()
        return body
    body = response.read(most_bytes + 1)
    if len(body) <= most_bytes and response.length:  # with a limit the library does not look
        raise http.client.IncompleteRead(body, response.length)
    return body


def seconds(said: str) -> float | None:
    """A Retry-After header as seconds, within reason; None for nonsense (and for a date, which no platform sends)."""
    try:
        wait_s = float(said)
    except ValueError:
        return None
    return min(wait_s, LONGEST_WAIT_S) if wait_s >= 0 else None


class _TooLate(OSError):
    """The connection came when the call's time was over; nothing is sent on it."""


class _Deadline:
    """The end of one call, and the connection that it breaks then."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self.passed = False
        self._connection: socket.socket | None = None

    def watch(self, connection: socket.socket) -> None:
        with self._changing:
            if self.passed:
                raise _TooLate
            self._connection = connection.dup()  # the same connection, also when TLS is wrapped around the other one

    def come(self) -> None:
        with self._changing:
            self.passed = True
            if self._connection:
                with suppress(OSError):  # it is broken already
                    self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._connection:
            self._connection.close()


_of_this_call: ContextVar[_Deadline] = ContextVar("deadline")


@contextmanager
def _deadline(within_s: float) -> Iterator[None]:
    """A connection that is made inside the block is broken when the time is over.

    Raises:
        TimeoutError: it was broken; what was read may be a part only, and look like the whole.
    """
    deadline = _Deadline()
    before = _of_this_call.set(deadline)
    timer = threading.Timer(within_s, deadline.come)
    timer.daemon = True
    timer.start()
    try:
        yield
        if deadline.passed:
            raise TimeoutError
    finally:
        timer.cancel()
        timer.join()
        deadline.close()
        _of_this_call.reset(before)


class _Watched(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _of_this_call.get().watch(self.sock)


class _WatchedSecure(http.client.HTTPSConnection, _Watched):
    """Connects as `_Watched` does, before the handshake."""


class _Plain(HTTPHandler):
    def http_open(self, request: Request) -> http.client.HTTPResponse:
        return self.do_open(_Watched, request)


class _Secure(HTTPSHandler):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._own_context = context

    def https_open(self, request: Request) -> http.client.HTTPResponse:
        return self.do_open(_WatchedSecure, request, context=self._own_context)


class _NoRedirects(HTTPRedirectHandler):
    """An API sends nobody elsewhere; whoever does is a proxy, and would be given the token."""

    def redirect_request(self, *_: Any) -> None:
        return None
