"""A file that its owner deletes on the platform: its passages go, and every exchange that quotes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis

from bot.messages import Command
from bot.store import store_errors
from workers.conversation import Conversations
from workers.erasure import rewrite_soon
from workers.files.keys import MARK, file_keys, key_for, readers_of
from workers.interrupts import ANY
from workers.outcomes import erase_outcomes
from workers.services import Clerk


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as it was shown in one conversation, with one message."""

    conversation_id: str
    message_id: str
    key: str


def file_gone(control_id: str, event: Command, clerk: Clerk) -> None:
    """Let go of the file `argument` in every conversation of the place; the messages that it came with stay.

    Raises:
        StoreUnavailable: it is to be tried again.
    """
    for shown in _wherever(event.argument, event.conversation_id, clerk.store):
        readers = readers_of(shown.conversation_id, shown.message_id, clerk.store)
        quoting = [one for reader in readers for one in _quoting(shown.key, reader, clerk.conversations)]
        erase_outcomes(clerk.store, message_ids=quoting)  # first: after a crash no turn would tell these ids
        clerk.conversations.erase(shown.conversation_id, message_ids=[f"{MARK}{shown.key}"])
        for reader in readers:  # what is being answered there may quote it
            clerk.interrupts.changed(reader, ANY)
        erase_outcomes(clerk.store, message_ids=quoting)
        rewrite_soon(clerk.store, control_id)


def _wherever(file_id: str, place: str, store: redis.Redis) -> Iterator[Shown]:
    """Where in the place (`slack:T1`) the platform's file was shown, as far as it is kept."""
    with store_errors():
        with_files = [str(c) for c in store.zrange("files", 0, -1)]
    for conversation_id in with_files:
        if conversation_id.startswith(f"{place}:"):
            with store_errors():
                kept: Any = store.hgetall(file_keys(conversation_id)[0])
            for key, facts in kept.items():
                message_id = str(json.loads(facts)["message_id"])
                if key == key_for(conversation_id, message_id, file_id):
                    yield Shown(conversation_id, message_id, key)


def _quoting(key: str, conversation_id: str, conversations: Conversations) -> Iterator[str]:
    """The messages whose answers quote the file."""
    for turn in conversations.load(conversation_id).turns:
        if any(quoted.chunk_id.startswith(f"{MARK}{key}:") for quoted in turn.passages):
            yield from turn.message_ids
