"""Private copies of a folder, for readers that write to what they open; none outlives its process for long."""

from __future__ import annotations

import fcntl
import shutil
import uuid
from pathlib import Path
from typing import TextIO


class PrivateCopy:
    """A copy of a folder under `path`, until it is closed. Its lock says to others that it is in use."""

    def __init__(self, source: Path, copies: Path) -> None:
        copies.mkdir(parents=True, exist_ok=True)
        remove_abandoned(copies)
        self._folder = copies / uuid.uuid4().hex
        self._lock = _locked(_lock_path(self._folder))
        self.path = self._folder
        try:
            shutil.copytree(source, self._folder)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Delete it."""
        shutil.rmtree(self._folder, ignore_errors=True)
        _lock_path(self._folder).unlink(missing_ok=True)
        self._lock.close()


def remove_abandoned(copies: Path) -> None:
    """Delete the copies of processes that ended without closing them."""
    for lock_path in copies.glob("*.lock"):
        with lock_path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(lock_path.with_suffix(""), ignore_errors=True)
            lock_path.unlink(missing_ok=True)


def _locked(path: Path) -> TextIO:
    """A file that is locked before others can see it."""
    hidden = path.with_suffix(".new")
    lock = hidden.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    hidden.rename(path)
    return lock


def _lock_path(folder: Path) -> Path:
    return folder.with_suffix(".lock")
