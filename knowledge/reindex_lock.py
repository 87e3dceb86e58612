"""One reindexing at a time, across processes."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from knowledge.errors import ReindexRunning

_LOCK = "reindex.lock"
_TRIES = 20
_BETWEEN_TRIES_S = 0.05


@contextmanager
def one_at_a_time(index_path: Path) -> Iterator[None]:
    """Keep other processes and threads from changing the index; the lock ends with the process, however it ends.

    Raises:
        ReindexRunning: another one has it.
    """
    index_path.mkdir(parents=True, exist_ok=True)
    with (index_path / _LOCK).open("w") as lock:
        for _ in range(_TRIES):  # who only looks, or deletes old generations, has it for an instant
            if _locked(lock.fileno()):
                break
            time.sleep(_BETWEEN_TRIES_S)
        else:
            raise ReindexRunning("another reindexing is under way")
        yield


def is_running(index_path: Path) -> bool:
    """Whether somebody is changing the index."""
    if not (index_path / _LOCK).exists():
        return False
    with (index_path / _LOCK).open() as lock:
        return not _locked(lock.fileno())


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
