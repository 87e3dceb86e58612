"""`madoguchi inbox`: what waits, and the dead letters to retry or drop. It looks into the store, beside the service."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import redis

from bot.messages import JSONObject
from bot.queue import CeleryHints, celery_app
from bot.settings import BotSettings
from bot.store import connect, store_errors, text
from workers.dead_letters import DeadLetter, DeadLetters
from workers.settings import STORE_TIMEOUT_S
from workers.terminal import print_line, printable

_AT_ONCE = 500
"""Conversations that are looked at in one call to the store."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for an answer; `oldest_s` is how long ago the oldest message was written."""

    messages: int
    conversations: int
    being_answered: int
    oldest_s: float
    orders: int


def show(chosen: argparse.Namespace) -> int:
    """Tell what waits, and list the dead letters."""
    store, now = _store(), time.time()
    waiting, letters = look(store, now), DeadLetters(store).all()
    if chosen.json:
        told = {"waiting": asdict(waiting), "dead": [_facts(letter, texts=chosen.text) for letter in letters]}
        print(json.dumps(told, ensure_ascii=sys.stdout.encoding.lower() != "utf-8"))
        return 0
    for line in _lines(waiting, letters, now, texts=chosen.text):
        print_line(line)
    return 0


def retry(chosen: argparse.Namespace) -> int:
    """Have dead letters asked, or carried out, again."""
    settings, store = BotSettings(), _store()
    letters, hints = DeadLetters(store), CeleryHints(celery_app(settings.store_url))

    def retried(letter_id: str) -> DeadLetter | None:
        letter = letters.retry(letter_id, time.time())
        if letter and letter.kind == "question":
            hints.answer(letter.conversation_id)
        elif letter:
            hints.act(letter_id)
        return letter

    done, status = _each(chosen, letters, retried)
    print(f"{len(done)} put back")
    if again := sum(letter.apologised for letter in done):
        print(f"{again} of them had an apology, which is in the chat already: the answer comes after it")
    return status


def drop(chosen: argparse.Namespace) -> int:
    """Drop dead letters for good."""
    letters = DeadLetters(_store())
    done, status = _each(chosen, letters, letters.drop)
    print(f"{len(done)} dropped")
    return status


def look(store: redis.Redis, now: float) -> Waiting:
    """What waits in the store."""
    with store_errors():
        found: list[Any] = store.zrange("ready", 0, -1)
        orders = int(store.zcard("controls:due"))
    ready, messages, held, oldest = [*map(text, found)], 0, 0, now
    for at in range(0, len(ready), _AT_ONCE):
        for count, head, locked in _inboxes(store, ready[at : at + _AT_ONCE]):
            messages, held = messages + count, held + locked
            oldest = min([oldest, *(sent_at for _, sent_at in head)])
    return Waiting(messages, len(ready), held, max(0.0, now - oldest), orders)


def _inboxes(store: redis.Redis, conversations: Sequence[str]) -> Iterator[tuple[int, list[Any], int]]:
    """Of each conversation: how many messages wait, the first with its time, and whether somebody answers it."""
    with store_errors(), store.pipeline(transaction=False) as together:
        for c in conversations:
            together.zcard(f"inbox:{c}")
            together.zrange(f"inbox:{c}", 0, 0, withscores=True)
            together.exists(f"lock:{c}")
        found = together.execute()
    return zip(found[::3], found[1::3], found[2::3], strict=True)


def _each(
    chosen: argparse.Namespace, letters: DeadLetters, do: Callable[[str], DeadLetter | None]
) -> tuple[list[DeadLetter], int]:
    """The letters to which it was done, and the exit status: 1 when one that was named is not there."""
    names = [letter.id for letter in letters.all()] if chosen.all else list(dict.fromkeys(chosen.ids))
    outcomes = {name: do(name) for name in names}
    missing = [] if chosen.all else [name for name, letter in outcomes.items() if letter is None]
    for name in missing:
        print(f"madoguchi: no dead letter {printable(name)}", file=sys.stderr)
    return [letter for letter in outcomes.values() if letter], 1 if missing else 0


def _lines(waiting: Waiting, letters: Sequence[DeadLetter], now: float, *, texts: bool) -> Iterator[str]:
    oldest = f", the oldest {_duration(waiting.oldest_s)} old" if waiting.messages else ""
    yield f"waiting: {waiting.messages} messages in {waiting.conversations} conversations{oldest}"
    yield f"         {waiting.being_answered} being answered now, {waiting.orders} orders"
    silent = sum(not letter.apologised for letter in letters)
    yield f"dead letters: {len(letters)}; in {silent} cases the person has no answer and no apology"
    for letter in letters:
        yield ""
        yield letter.id
        what = f"question, {len(letter.messages)} messages" if letter.messages else f"order {_order_name(letter)}"
        yield f"  {_duration(now - letter.at)} ago, {letter.platform}, {what}"
        yield f"  {'an apology was shown' if letter.apologised else 'NOT ANSWERED'}: {letter.reason}"
        if texts:
            yield from (f"  > {line}" for said in _texts(letter) for line in said.splitlines())


def _facts(letter: DeadLetter, *, texts: bool) -> JSONObject:
    facts = {
        "id": letter.id,
        "at": letter.at,
        "platform": letter.platform,
        "conversation_id": letter.conversation_id,
        "kind": letter.kind,
        "messages": len(letter.messages),
        "reason": letter.reason,
        "apologised": letter.apologised,
    }
    return {**facts, "texts": _texts(letter)} if texts else facts


def _texts(letter: DeadLetter) -> list[str]:
    """What people wrote in it: the questions, or the new words of an edit."""
    return [str(said["text"]) for said in letter.messages or (letter.order,) if "text" in said]


def _order_name(letter: DeadLetter) -> str:
    return str(letter.order.get("name") or letter.order.get("kind", "unreadable")).lower()


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _store() -> redis.Redis:
    return connect(BotSettings().store_url, timeout_s=STORE_TIMEOUT_S)
