"""What the store holds of the message path, and what the model holds, in the same form: to be compared."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any

import redis

from bot.messages import Message
from tests.workers.expected_conversation import Begun, ExpectedConversation, Letter
from tests.workers.expected_path import ExpectedLane
from workers.conversation import Turn


def conversations_in(store: redis.Redis, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Everything about these conversations, but their dead letters."""
    names = [*names]
    with store.pipeline() as look:
        for c in names:
            look.get(f"lock:{c}")
            look.zrange(f"inbox:{c}", 0, -1)
            look.hgetall(f"messages:{c}")
            look.smembers(f"over:{c}")
            look.hgetall(f"batch:{c}")
            look.get(f"attempts:{c}")
            look.lrange(f"turns:{c}", 0, -1)
            look.ttl(f"turns:{c}")
            look.get(f"epoch:{c}")
        seen = iter(look.execute())
    return {c: _conversation(*itertools.islice(seen, 9)) for c in names}


def _conversation(  # in the order of the look
    lock: Any, inbox: Any, messages: Any, over: Any, batch: Any, attempts: Any, turns: Any, life: int, epoch: Any
) -> dict[str, Any]:
    return {
        "lock": lock,
        "inbox": inbox,
        "messages": {message_id: Message.from_json(stored) for message_id, stored in messages.items()},
        "over": over,
        "batch": _begun(batch) if batch else None,
        "attempts": int(attempts or 0),
        "turns": [(turn.role, [*turn.message_ids], [*turn.texts]) for turn in map(Turn.from_json, turns)],
        "turns for ever": bool(turns) and life < 0,
        "epoch": int(epoch or 0),
    }


def conversation_of(expected: ExpectedConversation) -> dict[str, Any]:
    """A conversation as `conversations_in` must find it."""
    return {
        "lock": expected.lock,
        "inbox": expected.inbox(),
        "messages": expected.waiting,
        "over": expected.over,
        "batch": expected.begun,
        "attempts": expected.attempts,
        "turns": [*expected.turns()],
        "turns for ever": False,
        "epoch": expected.epoch,
    }


def letters_in(store: redis.Redis, names: Iterable[str]) -> dict[str, Any]:
    """The dead letters, and the journals that are kept for them."""
    with store.pipeline() as look:
        look.hgetall("dead")
        look.zrange("dead:since", 0, -1)
        look.smembers("dead:silent")
        for c in names:
            look.zrange(f"letters:{c}", 0, -1)
        dead, since, silent, *kept = look.execute()
    journals: dict[str, Any] = {letter: store.hgetall(f"letter:{letter}") for letter in itertools.chain(*kept)}
    return {
        "dead": {name: [*map(_message, json.loads(letter)["messages"])] for name, letter in dead.items()},
        "since": set(since),
        "silent": silent,
        "kept": kept,
        "journals": {letter: _begun(stored) for letter, stored in journals.items()},
    }


def letters_of(expected: Iterable[ExpectedConversation]) -> dict[str, Any]:
    """The dead letters as `letters_in` must find them."""
    by_conversation = [c.letters for c in expected]
    letters: dict[str, Letter] = dict(itertools.chain(*(of_one.items() for of_one in by_conversation)))
    dead = {name: [*letter.messages.values()] for name, letter in letters.items() if letter.messages is not None}
    return {
        "dead": dead,
        "since": {*dead},
        "silent": {name for name in dead if not letters[name].apologised},
        "kept": [sorted(of_one, key=lambda name: (letters[name].sent_at, name)) for of_one in by_conversation],
        "journals": {name: letter.begun for name, letter in letters.items()},
    }


def lanes_in(store: redis.Redis, names: Iterable[str]) -> dict[str, ExpectedLane]:
    """Where each person's batches are held, and what waits for one of them to end."""
    names = [*names]
    with store.pipeline() as look:
        for lane in names:
            look.smembers(f"answering:{lane}")
            look.zrange(f"held_up:{lane}", 0, -1)
        seen = look.execute()
    return {lane: ExpectedLane(*pair) for lane, *pair in zip(names, seen[::2], seen[1::2], strict=True)}


def ready_in(store: redis.Redis) -> Mapping[str, float]:
    """The conversations that the sweep will find, with the times they are due."""
    found: Any = store.zrange("ready", 0, -1, withscores=True)
    return dict(found)


def _begun(stored: dict[str, str]) -> Begun:
    journal = {n.removeprefix("journal:"): json.loads(v) for n, v in stored.items() if n.startswith("journal:")}
    return Begun(json.loads(stored["ids"]), stored.get("token"), stored.get("lane"), stored.get("epoch"), journal)


def _message(stored: Mapping[str, Any]) -> Message:
    return Message.from_json(json.dumps(stored))
