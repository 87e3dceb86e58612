"""The server over HTTP: every failure of it, and of the way to it, as one of our errors."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
from pydantic import SecretStr

from workers.generation import GenerationFailed
from workers.remote.dialects import JSON
from workers.remote.refusals import ServerBusy, ServerFailed, refusal
from workers.remote.stream import Piece, pieces

CONNECT_WITHIN_S = 5.0
ANSWER_WITHIN_S = 15.0
"""For everything that is no generation."""
MAX_BODY_BYTES = 100_000
"""Of a refusal; more is not read."""


class Wire:
    """The connection of one request, which any thread may cut, whatever another one waits for at it."""

    def __init__(self) -> None:
        self._cut = threading.Event()
        self._socket: socket.socket | None = None

    def cut(self) -> None:
        """Close the connection, now or as soon as it is made."""
        self._cut.set()
        self._shut()

    def wait(self, seconds: float) -> bool:
        """Whether it was cut meanwhile."""
        return self._cut.wait(seconds)

    def trace(self, event: str, told: dict[str, Any]) -> None:
        """Hear from httpcore of the socket: closing a response does not wake a thread that reads from it."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._socket = told["return_value"].get_extra_info("socket")
            if self._cut.is_set():
                self._shut()

    def _shut(self) -> None:
        with suppress(OSError, AttributeError):  # it was never opened, or is closed
            self._socket.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


class Server:
    """An OpenAI-compatible server. Every member may be used from any thread."""

    def __init__(self, url: str, api_key: SecretStr) -> None:
        """The server at `url`, with or without the `/v1` at its end."""
        key = api_key.get_secret_value()
        self._client = httpx.Client(
            base_url=url.rstrip("/").removesuffix("/v1"),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(ANSWER_WITHIN_S, connect=CONNECT_WITHIN_S),
            # Every request has a connection of its own, so that cutting one never cuts another.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    def models(self) -> JSON:
        """What `/v1/models` lists; nothing where there is no such list.

        Raises:
            GenerationError
        """
        with _as_our_errors():
            response = self._client.get("/v1/models")
        return {} if response.status_code == httpx.codes.NOT_FOUND else _json(response)

    def post(self, path: str, body: JSON) -> JSON:
        """The server's answer to JSON.

        Raises:
            GenerationError
        """
        with _as_our_errors():
            return _json(self._client.post(path, json=body))

    def stream(self, body: JSON, wire: Wire) -> Iterator[Piece]:
        """The pieces of one answer as they come; there is no end to the wait but cutting the wire.

        Raises:
            GenerationError
        """
        timeout = httpx.Timeout(None, connect=CONNECT_WITHIN_S)
        request = self._client.build_request(
            "POST", "/v1/chat/completions", json=body, timeout=timeout, extensions={"trace": wire.trace}
        )
        with _as_our_errors():
            response = self._client.send(request, stream=True)
            try:
                if response.status_code != httpx.codes.OK:
                    raise refusal(response.status_code, response.headers, _beginning(response))
                yield from pieces(response.iter_bytes())
            finally:
                response.close()

    def close(self) -> None:
        """Close what is open."""
        self._client.close()


@contextmanager
def _as_our_errors() -> Iterator[None]:
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ServerBusy(f"the language model's server cannot be reached: {error}") from error
    except httpx.HTTPError as error:
        raise ServerFailed(f"the connection to the language model's server broke: {type(error).__name__}") from error


def _json(response: httpx.Response) -> JSON:
    if response.status_code != httpx.codes.OK:
        raise refusal(response.status_code, response.headers, response.text)
    try:
        answer = response.json()
    except ValueError as error:
        raise GenerationFailed("the language model's server does not speak JSON") from error
    if not isinstance(answer, dict):
        raise GenerationFailed("the language model's server speaks another JSON")
    return answer


def _beginning(response: httpx.Response) -> str:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) >= MAX_BODY_BYTES:
            break
    return body.decode("utf-8", "replace")
