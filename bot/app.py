"""The web process: webhooks, console, health, metrics, as one ASGI application."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import redis
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.access import Access
from bot.console.web import console_routes
from bot.errors import StoreUnavailable
from bot.inbox import Inbox
from bot.line.calling import CallWords
from bot.line.front_door import LineFrontDoor
from bot.passages.web import passage_route
from bot.places import Places
from bot.platform import MAX_BODY_BYTES, FrontDoor, WebhookRequest, WebhookResponse
from bot.queue import BackgroundHints, CeleryHints, celery_app
from bot.settings import BotSettings
from bot.slack.front_door import SlackFrontDoor
from bot.store import connect, store_errors

log = logging.getLogger(__name__)

WORKERS = ("clerk", "replies", "knowledge")
"""The processes whose heartbeats `/readyz` looks for."""
SOCKET = "socket"
"""One more of them, where Slack is listened to over a WebSocket."""
PUBLISH_TIMEOUT_S = 0.5
"""A hint that takes longer is left to the clerk's tick."""
WEBHOOK_LIMIT_S = 1.5
"""Then a webhook is answered, whatever the store does: LINE waits two seconds, the way there and back included."""
WEBHOOK_THREADS = 8
"""For each platform. They mostly wait for the store's disk, which one write keeps as busy as many at once."""

WEBHOOKS = Counter("madoguchi_webhooks_total", "Webhook requests, by platform and status", ["platform", "status"])
WEBHOOK_SECONDS = Histogram(
    "madoguchi_webhook_seconds",
    "From the request read to its answer",
    ["platform"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2),
)
READY = Gauge("madoguchi_conversations_ready", "Conversations that have something to answer")
DEAD = Gauge("madoguchi_dead_letters", "Messages and orders that were given up")
UNANSWERED = Gauge("madoguchi_unanswered", "Dead letters of which the person has no answer and no apology")


def build(settings: BotSettings, token: SecretStr, *, closing: Callable[[], bool] = lambda: False) -> Starlette:
    """The web application for these settings; nothing is contacted yet.

    Args:
        token: what opens the console.
        closing: whether the server is about to end.

    Raises:
        SettingsIncomplete: a platform is half configured.
        PlacesInvalid: `madoguchi.toml` cannot be followed.
    """
    store = connect(settings.store_url)
    hints = BackgroundHints(CeleryHints(celery_app(settings.store_url, publish_timeout_s=PUBLISH_TIMEOUT_S)))
    inbox = Inbox(store, hints, person_messages_per_minute=settings.person_messages_per_minute)
    routes = [
        Route("/healthz", healthz),
        Route("/readyz", _readyz(store, [*WORKERS, SOCKET] if settings.slack_socket_on else WORKERS)),
        Route("/metrics", _metrics(store)),
        passage_route(store),
        *console_routes(token, inbox, settings.store_url, [settings.host], closing=closing),
    ]
    if settings.slack_webhook_on:
        door = SlackFrontDoor(settings.slack_signing_secret.get_secret_value(), inbox, settings.admins, Places.read())
        routes.append(Route("/slack/events", _webhook("slack", door), methods=["POST"]))
    if settings.line_on:
        access = Access.of(settings, store)
        call_words = CallWords.listed(settings.line_call_words)
        line = LineFrontDoor(settings.line_channel_secret.get_secret_value(), inbox, access, call_words)
        routes.append(Route("/line/webhook", _webhook("line", line), methods=["POST"]))
    return Starlette(routes=routes)


async def healthz(_: Request) -> Response:
    """The process lives; nothing else is looked at."""
    return JSONResponse({"ok": True})


def _webhook(platform: str, door: FrontDoor) -> Callable[[Request], Awaitable[Response]]:
    # Threads of its own: what waits for the store here holds up neither the other platform nor the console.
    threads = ThreadPoolExecutor(WEBHOOK_THREADS, thread_name_prefix=platform)

    async def endpoint(request: Request) -> Response:
        began = time.perf_counter()
        body = await _body(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await _handled(door, WebhookRequest(headers, body), threads)
        WEBHOOKS.labels(platform, answer.status).inc()
        WEBHOOK_SECONDS.labels(platform).observe(time.perf_counter() - began)
        return Response(answer.body, answer.status, media_type=answer.media_type)

    return endpoint


async def _handled(door: FrontDoor, request: WebhookRequest, threads: ThreadPoolExecutor) -> WebhookResponse:
    """The front door's answer; 503 when the store is unavailable, or so slow that there is none within the limit.

    A request that no thread has begun by then is dropped. One that has begun may still become durable after its 503:
    the platform delivers it again, and the store knows it by its ids.
    """
    try:
        async with asyncio.timeout(WEBHOOK_LIMIT_S):
            return await asyncio.get_running_loop().run_in_executor(threads, door.handle, request)
    except (StoreUnavailable, TimeoutError):
        return WebhookResponse(503, "store unavailable")


async def _body(request: Request) -> bytes:
    """The body, or its first bytes when it is too large: the front door refuses that by its length."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                break
    except ClientDisconnect:
        return b""
    return bytes(body)


def _readyz(store: redis.Redis, workers: Sequence[str]) -> Callable[[Request], Awaitable[Response]]:
    async def readyz(_: Request) -> Response:
        parts = await run_in_threadpool(readiness, store, workers)
        return JSONResponse({"ready": all(parts.values()), "parts": parts}, 200 if all(parts.values()) else 503)

    return readyz


def readiness(store: redis.Redis, workers: Sequence[str] = WORKERS) -> dict[str, bool]:
    """Which parts answer, or have a fresh heartbeat that says that they are ready."""
    try:
        with store_errors():
            beats = store.mget([f"status:{part}" for part in workers])
    except StoreUnavailable:
        return {"store": False} | dict.fromkeys(workers, False)
    return {"store": True} | {part: _says_ready(beat) for part, beat in zip(workers, beats, strict=True)}


def _says_ready(beat: bytes | str | None) -> bool:
    return beat is not None and bool(json.loads(beat)["ready"])


def _metrics(store: redis.Redis) -> Callable[[Request], Awaitable[Response]]:
    async def metrics(_: Request) -> Response:
        await run_in_threadpool(_look_at, store)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return metrics


def _look_at(store: redis.Redis) -> None:
    try:
        with store_errors():
            READY.set(store.zcard("ready"))
            DEAD.set(store.hlen("dead"))
            UNANSWERED.set(store.scard("dead:silent"))
    except StoreUnavailable:
        READY.set(float("nan"))
        DEAD.set(float("nan"))
        UNANSWERED.set(float("nan"))
