"""The web application over real HTTP, in a thread, and the two platforms' requests to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr

from bot.app import build
from bot.settings import BotSettings
from tests.fakes import line_events, slack_events

SLACK_SECRET, LINE_SECRET = "slack-secret", "line-secret"
SLACK: dict[str, Any] = {"slack_bot_token": "xoxb-1", "slack_signing_secret": SLACK_SECRET}
LINE: dict[str, Any] = {
    "line_channel_secret": LINE_SECRET,
    "line_channel_access_token": "line-token",
    "line_access": "open",
}


def settings(store_url: str, **platforms: Any) -> BotSettings:
    """Settings that nothing around the tests changes."""
    return BotSettings(_env_file=None, redis_url=store_url, **platforms)  # type: ignore[call-arg]


@contextmanager
def serving(store_url: str, *, certificate: Path | None = None, **platforms: Any) -> Iterator[httpx.Client]:
    """A client of the application, which runs in a thread; by https with a certificate (a PEM file with its key)."""
    app = build(settings(store_url, **platforms), SecretStr("token"), closing=lambda: server.should_exit)
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ssl_certfile=certificate)
    )
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        scheme = "https" if certificate else "http"
        with httpx.Client(base_url=f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", timeout=10) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=10)
    assert not thread.is_alive()


def to_slack(client: httpx.Client, **headers: str) -> httpx.Response:
    body = slack_events.body_of(slack_events.message_im("経費の締め日は？"))
    return client.post("/slack/events", content=body, headers=slack_events.sign(SLACK_SECRET, body) | headers)


def to_line(client: httpx.Client, **headers: str) -> httpx.Response:
    body = line_events.body(line_events.text("経費の締め日は？"))
    return client.post("/line/webhook", content=body, headers=line_events.headers(LINE_SECRET, body) | headers)
