"""Asking from the terminal: the same way as every other platform, through the inbox and back through the stream."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import redis

from bot.console.stream import follow_blocking, newest_entry
from bot.inbox import Accepted, Inbox
from bot.messages import Message
from bot.store import store_errors

SESSION = "console:terminal"
"""One conversation for the terminal, so that a second question may follow up on the first."""
SETTLED = frozenset({"done", "failed"})


class NoAnswer(Exception):
    """There is no question, the service did not take it, or did not answer in time."""


def ask(question: str, store: redis.Redis, inbox: Inbox, *, timeout_s: float = 900) -> Iterator[dict[str, Any]]:
    """Ask, and follow what the console's page would show of the answer: its events, the last one `done` or `failed`.

    Raises:
        NoAnswer
        StoreUnavailable
    """
    if not question.strip():
        raise NoAnswer("the question is empty")
    message = Message(
        id=f"{SESSION}:{uuid.uuid4()}",
        platform="console",
        conversation_id=SESSION,
        user_id=SESSION,
        text=_readable(question)[: Message.MAX_TEXT_CHARS],
        sent_at=time.time(),
        reply_to={"session": "terminal"},
    )
    before = newest_entry(store, SESSION)
    if inbox.accept(message, message.id) is not Accepted.NEW:
        raise NoAnswer("too many questions are waiting")
    yield from _answer_to(message.id, store, before, timeout_s)


def _answer_to(message_id: str, store: redis.Redis, after_id: str, timeout_s: float) -> Iterator[dict[str, Any]]:
    """The events about a message, up to the one that settles it.

    Of several messages that one answer covers only the newest has events: the others are settled with it.
    """
    until = time.monotonic() + timeout_s
    newest: dict[str, Any] | None = None
    for entry in follow_blocking(store, SESSION, after_id):
        event = dict(entry.event) if entry is not None else None
        if event is not None and event["id"] == message_id:
            yield event
        if event is not None and event["type"] in SETTLED:
            newest = event
            if event["id"] == message_id:
                return
        elif event is None and newest is not None and _is_answered(message_id, store):
            yield newest
            return
        elif time.monotonic() > until:
            raise NoAnswer(f"no answer within {timeout_s:.0f} s; it may still come")


def show(events: Iterator[dict[str, Any]], write: Callable[[str], object] = sys.stdout.write) -> bool:
    """Write an answer as it grows, its sources at the end; whether it is an answer and not an apology."""
    shown, answered = "", False
    for event in events:
        match event["type"]:
            case "waiting" if not shown and sys.stderr.isatty():
                sys.stderr.write(f"\r\x1b[K{event['text']}")
            case "restarted" if shown:
                write("\n")
                shown = ""
            case "text" | "done" | "failed":
                if not shown and sys.stderr.isatty():
                    sys.stderr.write("\r\x1b[K")
                write(_new(event["text"], shown))
                shown, answered = event["text"], event["type"] == "done"
                for cited in event.get("citations", ()):
                    write(_source(cited))
        sys.stdout.flush()
    write("\n")
    return answered


def _is_answered(message_id: str, store: redis.Redis) -> bool:
    with store_errors():
        return bool(store.get(f"seen:{message_id}") == "answered")


def _readable(question: str) -> str:
    """The question without bytes that are no UTF-8, which a terminal may hand over."""
    return question.encode("utf-8", "replace").decode()


def _new(text: str, shown: str) -> str:
    """What `text` adds to what is shown; all of it on a new line when it does not go on from there."""
    if text.startswith(shown):
        return text[len(shown) :]
    return "\n" + text


def _source(cited: dict[str, Any]) -> str:
    place = " > ".join(filter(None, (cited["title"], cited["heading"])))
    return f"\n[{cited['number']}] {place} ({cited['uri']})"
