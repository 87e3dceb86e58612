"""The console over real HTTP for tests: its server in a thread, and a hand that plays the worker."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import redis
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette

from bot.console.sender import ConsoleReply, ConsoleSender
from bot.console.web import console_routes
from bot.errors import LockLost
from bot.inbox import Inbox
from bot.messages import Message
from bot.platform import Target
from bot.store import connect

T = TypeVar("T")
TOKEN = "a token for tests, öffne dich"


class NoHints:
    """Hints that nobody hears; the tests look into the inbox themselves."""

    def answer(self, conversation_id: str) -> None: ...

    def act(self, control_id: str) -> None: ...


class MemoryJournal:
    """A delivery's journal; `lost` makes it say that another worker owns the conversation."""

    def __init__(self, **facts: Any) -> None:
        self.facts: dict[str, Any] = facts
        self.lost = False

    def read(self) -> Mapping[str, Any]:
        return dict(self.facts)

    def write(self, **facts: Any) -> None:
        self.check()
        self.facts |= facts

    def check(self) -> None:
        if self.lost:
            raise LockLost


class Worker:
    """Takes messages out of the inbox and answers them by hand."""

    def __init__(self, store: redis.Redis) -> None:
        self.store = store

    def messages(self) -> list[Message]:
        """Everything that waits in every inbox."""
        stored = [text for key in self.store.keys("messages:*") for text in self.store.hvals(key)]
        return sorted((Message.from_json(text) for text in stored), key=lambda message: message.sent_at)

    def message(self, text: str) -> Message:
        """The message that says `text`, once it is there."""
        return until(lambda: next((one for one in self.messages() if one.text == text), None))

    def open(self, message: Message, journal: MemoryJournal | None = None) -> ConsoleReply:
        """The stream for an answer to the message."""
        target = Target(message.id, message.conversation_id, "ja", message.reply_to)
        return ConsoleSender(self.store).open(target, journal or MemoryJournal())


@dataclass
class Console:
    """A console that runs; `end` tells its server to."""

    address: str
    server: uvicorn.Server

    def end(self) -> None:
        self.server.should_exit = True


@contextmanager
def serving(store_url: str, hosts: Collection[str] = (), port: int = 0) -> Iterator[Console]:
    """A console that runs on the store, in a thread."""
    store = connect(store_url)
    listener = socket.create_server(("127.0.0.1", port))
    app = Starlette(
        routes=console_routes(
            SecretStr(TOKEN), Inbox(store, NoHints()), store_url, hosts, closing=lambda: server.should_exit
        )
    )
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    console = Console(f"http://127.0.0.1:{listener.getsockname()[1]}", server)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started)
        yield console
    finally:
        console.end()
        thread.join(timeout=10)
        store.close()
    assert not thread.is_alive()


def until(look: Callable[[], T | None], timeout_s: float = 10.0) -> T:
    """What `look` gives as soon as it gives something."""
    end = time.monotonic() + timeout_s
    while not (seen := look()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)
    return seen
