"""The console's web side: the page, its files, what it posts and what it follows."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from importlib.resources import files
from typing import Any

import redis
import redis.asyncio
from pydantic import SecretStr
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.console.access import COOKIE, Sessions, check_host, check_origin, new_session
from bot.console.events import conversation, from_button, from_post
from bot.console.sse import COMMENT, first_id, frame
from bot.console.stream import BLOCK_MS, ChatStream, follow
from bot.errors import BadRequest, StoreUnavailable
from bot.guard import check_size, json_object
from bot.inbox import Accepted, Inbox
from bot.messages import Action, Command, Message
from bot.store import connect, store_errors

log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]

COOKIE_S = 30 * 24 * 3600
KEEP_ALIVE_S = 15.0
"""Proxies close a connection that is silent for a minute or less."""

MEDIA_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address may hold the token
    "X-Content-Type-Options": "nosniff",
}


def console_routes(
    token: SecretStr,
    inbox: Inbox,
    store_url: str,
    hosts: Collection[str] = (),
    *,
    closing: Callable[[], bool] = lambda: False,
) -> list[Route]:
    """The routes of the console.

    Args:
        hosts: names under which the console is reached, beside localhost and addresses.
        closing: whether the server is about to end; pages that follow their stream are let go within a second.

    Raises:
        SettingsIncomplete: the token is empty.
    """
    console = Console(Sessions(token), inbox, store_url, closing)
    endpoints = {
        "/": ("GET", console.page),
        "/console/static/{name}": ("GET", console.static),
        "/console/messages": ("POST", console.messages),
        "/console/orders": ("POST", console.orders),
        "/console/events": ("GET", console.events),
        "/console/status": ("GET", console.status),
    }
    names = frozenset(name.lower() for name in hosts)
    return [Route(path, _guarded(endpoint, names), methods=[method]) for path, (method, endpoint) in endpoints.items()]


class Console:
    """The endpoints. What they raise (BadRequest, StoreUnavailable) is answered in one place, `_guarded`."""

    def __init__(self, sessions: Sessions, inbox: Inbox, store_url: str, closing: Callable[[], bool]) -> None:
        self._sessions = sessions
        self._inbox = inbox
        self._store_url = store_url
        self._closing = closing
        self._store = connect(store_url)
        self._stream = ChatStream(self._store)
        self._files = _static_files()

    async def page(self, request: Request) -> Response:
        """The page; with the token in the address a cookie, and the address without the token."""
        token = request.query_params.get("token")
        session = self._session(request)
        if token is not None and self._sessions.admits(token):
            return self._welcome(session or new_session(), secure=request.url.scheme == "https")
        if session is None:
            return self._file("unauthorised.html", status=401)
        return self._file("index.html")

    async def static(self, request: Request) -> Response:
        """One of the page's files, which hold no secrets; by name from memory, so there is no path to walk."""
        name = request.path_params["name"]
        return self._file(name) if name in self._files else PlainTextResponse("not found", 404)

    async def messages(self, request: Request) -> Response:
        """Take in what a person typed: 202 when it is durable."""
        session = self._known_session(request)
        posted = await _posted(request)
        event = from_post(posted, session, time.time())
        await run_in_threadpool(self._take_in, event, f"post:{event.user_id}:{posted['id']}")
        return JSONResponse({"kind": type(event).__name__.lower()}, 202)

    async def orders(self, request: Request) -> Response:
        """Take in what a button does: 202 when it is durable."""
        session = self._known_session(request)
        asker_language = "ja" if request.headers.get("accept-language", "").lower().startswith("ja") else "en"
        order = from_button(await _posted(request), session, asker_language, time.time())
        await run_in_threadpool(self._take_in, order, f"{order.user_id}:{new_session()}")
        return JSONResponse({"kind": type(order).__name__.lower()}, 202)

    async def events(self, request: Request) -> Response:
        """What the page shows, from the beginning or after the event that it saw last, and on as it happens."""
        session = self._known_session(request)
        after_id = first_id(request.headers.get("last-event-id") or request.query_params.get("after"))
        return StreamingResponse(self._frames(conversation(session), after_id), media_type="text/event-stream")

    async def status(self, request: Request) -> Response:
        """What the workers say of themselves, as they wrote it; null for who has said nothing."""
        self._known_session(request)
        return JSONResponse(await run_in_threadpool(self._statuses))

    def _session(self, request: Request) -> str | None:
        return self._sessions.session(request.cookies.get(COOKIE, ""))

    def _known_session(self, request: Request) -> str:
        session = self._session(request)
        if session is None:
            raise BadRequest(401, "no session")
        return session

    def _welcome(self, session: str, *, secure: bool) -> Response:
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE, self._sessions.cookie(session), COOKIE_S, secure=secure, httponly=True, samesite="strict"
        )
        return response

    def _file(self, name: str, status: int = 200) -> Response:
        return Response(self._files[name], status, media_type=MEDIA_TYPES[name.rpartition(".")[2]])

    def _take_in(self, event: Message | Command | Action, delivery_id: str) -> None:
        """Into the inbox first: what the page then shows as asked will be answered."""
        if not isinstance(event, Message):
            self._inbox.control(event, delivery_id)
            return
        if self._inbox.accept(event, delivery_id) is Accepted.FULL:
            raise BadRequest(429, "too many messages wait")
        self._stream.question(event)

    def _statuses(self) -> dict[str, Any]:
        parts = ("replies", "knowledge")
        with store_errors():
            written = self._store.mget([f"status:{part}" for part in parts])
        return {part: json.loads(text) if text else None for part, text in zip(parts, written, strict=True)}

    async def _frames(self, conversation_id: str, after_id: str) -> AsyncIterator[str]:
        """The stream as server-sent events; it ends with the server, or with the store (the page comes again)."""
        spoke_at = time.monotonic()
        caught_up = False
        try:
            async with _following_client(self._store_url) as client:
                async for entry in follow(client, conversation_id, after_id):
                    if self._closing():
                        return
                    if entry is None and caught_up and time.monotonic() - spoke_at < KEEP_ALIVE_S:
                        continue
                    yield frame(entry) if entry else COMMENT if caught_up else frame(None)
                    caught_up = caught_up or entry is None
                    spoke_at = time.monotonic()
        except redis.RedisError as error:
            log.warning("stream ended", extra={"platform": "console", "error": type(error).__name__})


def _guarded(endpoint: Endpoint, names: Collection[str]) -> Endpoint:
    """The endpoint behind the check of the Host header, its errors as responses, and the headers on all of them."""

    async def guarded(request: Request) -> Response:
        try:
            check_host(request.headers.get("host", ""), names)
            response = await endpoint(request)
        except BadRequest as refusal:
            response = PlainTextResponse(refusal.reason, refusal.status)
        except StoreUnavailable:
            response = PlainTextResponse("the store does not answer", 503, {"Retry-After": "1"})
        except ClientDisconnect:
            response = PlainTextResponse("gone", 400)
        response.headers.update(HEADERS)
        return response

    return guarded


async def _posted(request: Request) -> dict[str, Any]:
    """The JSON object that our own page posted.

    Raises:
        BadRequest: 400, 413 or 415.
    """
    check_origin(request.headers)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadRequest(415, "not application/json")
    body = b""
    async for part in request.stream():
        body += part
        check_size(body)
    return json_object(body)


def _following_client(store_url: str) -> redis.asyncio.Redis:
    """A client for one page's stream, on a connection of its own: it waits on it."""
    return redis.asyncio.Redis.from_url(
        store_url, decode_responses=True, socket_timeout=BLOCK_MS / 1000 + 1.0, socket_connect_timeout=1.0
    )


def _static_files() -> dict[str, bytes]:
    folder = files("bot.console") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
