"""A transaction of SQLite, for connections that begin none by themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All writes of the block, or none."""
    database.execute("BEGIN")
    with database:
        yield
