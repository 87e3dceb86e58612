"""Where the files of a conversation are in the store, and what tells their passages from chunks of the documents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

import redis

from bot.store import store_errors, text

MARK: Final = "file:"
"""Begins the id of every passage of a file: `file:{key}:{number}`. The Lua scripts know it too."""


def is_of_a_file(chunk_id: str) -> bool:
    """Whether a chunk is a passage of a file that somebody has shown, and so of no document."""
    return chunk_id.startswith(MARK)


def key_for(conversation_id: str, message_id: str, file_id: str) -> str:
    """What names a file (the platform's id) that came with a message: the same one again has the same, elsewhere it is
    another.
    """
    said = json.dumps([conversation_id, message_id, file_id])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def file_keys(conversation_id: str) -> list[str]:
    """The conversation's files, their passages, and the threads that read them too."""
    return [f"{name}:{conversation_id}" for name in ("files", "file_passages", "file_readers")]


def readers_of(conversation_id: str, message_id: str, store: redis.Redis) -> list[str]:
    """The conversations in which files of this message are read; none where it had no file that is kept.

    Raises:
        StoreUnavailable
    """
    files, _, readers = file_keys(conversation_id)
    with store_errors():
        stored: Sequence[Any] = store.hvals(files)
        if not any(json.loads(text(one))["message_id"] == message_id for one in stored):
            return []
        return [conversation_id, *map(text, store.smembers(readers))]
