"""What was erased leaves the store's append-only file too: the file is written anew, as soon as the store can."""

from __future__ import annotations

import logging

import redis

from bot.store import store_errors, text

log = logging.getLogger(__name__)

REWRITE = "rewrite"
"""The key of what has erased something since the file was written anew."""
_NEVER = ("unknown command", "no permissions")
"""What a service says that keeps its file to itself."""


def rewrite_soon(store: redis.Redis, control_id: str) -> None:
    """Note that this event has erased something; the clerk's tick sees to the file."""
    with store_errors():
        store.sadd(REWRITE, control_id)


def rewrite_the_file(store: redis.Redis) -> None:
    """Have the file rewritten without what was erased until now.

    A store that is rewriting it already may have passed the erased, and is asked again with the next call.
    """
    with store_errors():
        erased = [text(control_id) for control_id in store.smembers(REWRITE)]
        if erased and _accepted(store):
            store.srem(REWRITE, *erased)


def _accepted(store: redis.Redis) -> bool:
    """Whether there is nothing more to ask for: the store begins to rewrite, or never will on our word."""
    try:
        store.bgrewriteaof()
    except redis.ResponseError as refusal:
        if not any(words in str(refusal).lower() for words in _NEVER):
            return False
        log.warning("the store does not let us rewrite its file; what was erased stays in it")
    return True
