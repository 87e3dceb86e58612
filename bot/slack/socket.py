"""Slack without a public address: a WebSocket that we open, and on it what else comes by webhook (Socket Mode).

A process of its own. What comes goes through the same front door; an envelope is acknowledged when what is in it is
durable, and Slack sends one that is not acknowledged again, on whichever of an app's connections.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bot.errors import DeliveryDeferred, DeliveryError, SettingsIncomplete
from bot.heartbeat import Heartbeat
from bot.inbox import Inbox
from bot.logs import log_to_stderr
from bot.places import Places
from bot.queue import BackgroundHints, CeleryHints, celery_app
from bot.settings import BotSettings
from bot.slack.connection import Connection, Take
from bot.slack.front_door import SlackFrontDoor
from bot.slack.web import SlackClient, call, slack_client
from bot.store import connect

log = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S = 0.5
AT_ONCE = 8
"""Envelopes; they mostly wait for the store's disk."""
STEADY_S = 60.0
"""What lived so long was a good connection: the next one is opened at once."""
LONGEST_PAUSE_S = 60.0


class Socket:
    """Keeps one connection open; where Slack says that it will end, the next one is there before."""

    def __init__(self, ask: Callable[[], str], take: Take) -> None:
        """`ask` says where to connect, or raises DeliveryError."""
        self._ask = ask
        self._take = take
        self._ending = threading.Event()
        self._connection: Connection | None = None
        self._not_before = 0.0
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="socket")

    @property
    def is_connected(self) -> bool:
        """Whether envelopes can come."""
        return self._connection is not None and self._connection.is_open

    def run(self) -> None:
        """Be connected until `close`.

        Who is refused again and again (Socket Mode turned off, a revoked token, too many connections) asks less and
        less often: Slack counts apps.connections.open by the minute.
        """
        tries = 0
        while not self._ending.wait(self._pause_s(tries)):
            began = time.monotonic()
            self._connect()
            tries = 0 if time.monotonic() - began > STEADY_S else tries + 1

    def close(self) -> None:
        """Acknowledge what is being taken in, and end."""
        self._ending.set()
        connection = self._connection
        self._workers.shutdown(wait=True, cancel_futures=True)
        if connection is not None:
            connection.parting.set()
            connection.close()

    def _pause_s(self, tries: int) -> float:
        """Growing pauses, and none shorter than Slack asks for."""
        growing_s = min(2.0 ** (tries - 2), LONGEST_PAUSE_S) if tries > 1 else 0.0
        return max(growing_s, self._not_before - time.monotonic())

    def _connect(self) -> None:
        """One connection in the place of the last; returns when it is to be replaced."""
        try:
            connection = Connection(self._ask(), self._take, self._workers.submit)
        except DeliveryError as error:
            log.warning("not connected", extra={"platform": "slack", "reason": str(error)})
            if isinstance(error, DeliveryDeferred):
                self._not_before = time.monotonic() + (error.retry_after_s or 0.0)
            return
        threading.Thread(target=connection.run, name="connection", daemon=True).start()
        connection.opened.wait()
        if not connection.is_open:
            return
        log.info("connected", extra={"platform": "slack"})
        before, self._connection = self._connection, connection
        if before is not None:
            before.retire()
        if self._ending.is_set():
            connection.close()
        connection.parting.wait()


@contextmanager
def listening(app_token: str, client: SlackClient, take: Take) -> Iterator[Socket]:
    """A connection, as soon as there can be one and for as long as the block runs; `take` gets what comes on it."""
    socket = Socket(lambda: str(call(client.apps_connections_open, app_token=app_token)["url"]), take)
    running = threading.Thread(target=socket.run, name="socket", daemon=True)
    running.start()
    try:
        yield socket
    finally:
        socket.close()


def main() -> None:
    """Listen until SIGTERM."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    log_to_stderr()
    settings = BotSettings()
    if not settings.slack_socket_on:
        raise SettingsIncomplete("SLACK_APP_TOKEN is missing: there is nothing to listen to")
    store = connect(settings.store_url)
    hints = BackgroundHints(CeleryHints(celery_app(settings.store_url, publish_timeout_s=PUBLISH_TIMEOUT_S)))
    inbox = Inbox(store, hints, person_messages_per_minute=settings.person_messages_per_minute)
    door = SlackFrontDoor(None, inbox, settings.admins, Places.read())
    client = slack_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    with listening(settings.slack_app_token.get_secret_value(), client, door.take) as socket:
        Heartbeat(connect(settings.store_url), "socket", lambda: {"ready": socket.is_connected}).start()
        ended.wait()
