"""Succession: a process that takes the place of a dead one frees at once what that one held.

Without it people wait until the dead one's locks run out. That it is dead is not guessed: for as long as it lived it
had a lock (flock) on a file, and only the kernel takes that away. The file holds the owner's name, which no other
process ever bears, so that nobody else's lock is touched. A second process of the same kind on this machine does
without.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import time
from pathlib import Path

import redis

from bot.errors import StoreUnavailable
from bot.inbox import Hints
from bot.store import script, store_errors, text

log = logging.getLogger(__name__)

MOST_NAME_BYTES = 1000


def succeed(file: Path, owner: str, store: redis.Redis, hints: Hints) -> None:
    """Hold `file` as `owner` until this process ends, and free what its last holder held, if that one is dead.

    Whatever keeps us from it costs only time: the locks of the dead run out by themselves.
    """
    try:
        held = _hold(file)
        predecessor = os.pread(held, MOST_NAME_BYTES, 0).decode("utf-8", "replace")
        if _was_on_this_machine(predecessor):
            _free(predecessor, store, hints)
        os.ftruncate(held, 0)
        os.pwrite(held, owner.encode(), 0)
    except (OSError, StoreUnavailable) as error:
        log.info("no succession", extra={"file": file.name, "reason": str(error)})


def _hold(file: Path) -> int:
    """The file, locked. It is never closed, so that the lock ends with the process and not before.

    Raises:
        OSError: a living process holds it, or this file system knows no locks.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        raise
    return opened


def _was_on_this_machine(owner: str) -> bool:
    """Whether its lock on the file tells whether it lives: on a shared disk another machine's may get lost before."""
    return owner.rsplit(".", 2)[0] == socket.gethostname()


def _free(owner: str, store: redis.Redis, hints: Hints) -> None:
    with store_errors():
        freed = script(store, "workers", "succeed")(keys=["ready"], args=[owner, time.time()])
    for conversation_id in freed:
        hints.answer(text(conversation_id))
    if freed:
        log.warning("freed what a dead process held", extra={"conversations": len(freed)})
