"""Connections to addresses that were checked, which end in time however slowly the other side speaks."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import httpcore

from knowledge.web.addresses import Resolve, checked

CONNECT_S = 10.0
DEADLINE_S = 30.0
"""For one exchange as a whole: a server that sends a byte now and then must not hold the rest up."""
GLANCE_S = 0.25
"""So often the caller is asked whether to go on waiting."""
_MOST_ADDRESSES = 4

Tick = Callable[[], None]
"""Called several times a second while something is waited for; what it raises ends the waiting."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Ends an exchange at its deadline, and lets the caller end it before."""

    tick: Tick
    deadline: float

    def left_s(self, at_most: float) -> float:
        """The time that may still be taken.

        Raises:
            httpcore.ReadTimeout: none.
        """
        self.tick()
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the exchange as a whole took too long")
        return min(left, at_most)


class CheckedBackend(httpcore.NetworkBackend):
    """Resolves a name once, checks what it leads to, and connects to that and to nothing else.

    Resolved anew, a name could lead elsewhere than it did when it was checked.
    """

    def __init__(self, resolve: Resolve, *, allow_private: bool, watch: Watch) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._watch = watch

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = checked(host, port, resolve=self._resolve, allow_private=self._allow_private)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                return _WatchedStream(self._connected(address, port), self._watch)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _connected(self, address: str, port: int) -> httpcore.NetworkStream:
        return httpcore.SyncBackend().connect_tcp(address, port, self._watch.left_s(CONNECT_S), socket_options=())


class _WatchedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, watch: Watch) -> None:
        self._stream = stream
        self._watch = watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            glance_s = self._watch.left_s(GLANCE_S)
            with suppress(httpcore.ReadTimeout):
                return self._stream.read(max_bytes, glance_s)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._watch.left_s(CONNECT_S))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left_s = self._watch.left_s(CONNECT_S)
        return _WatchedStream(self._stream.start_tls(ssl_context, server_hostname, left_s), self._watch)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
