"""Vectors that were computed before, so that reindexing embeds only new text; survives a kill batch by batch."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from knowledge.embedding import Embedder, Vectors
from knowledge.transaction import transaction


class VectorCache:
    """An SQLite file of vectors by embedder and text; of the text only a hash is kept."""

    def __init__(self, path: Path) -> None:
        """Open it; a file that is damaged is begun anew, since all of it can be computed again."""
        try:
            self._database = _open(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # the file is not to blame
                raise
            path.unlink()
            self._database = _open(path)

    def encode_document(self, texts: Sequence[str], embedder: Embedder) -> tuple[Vectors, int]:
        """The texts' vectors in input order, and how many of them had to be computed."""
        keys = [_key(text, embedder) for text in texts]
        known = self._get(keys)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            computed = dict(zip(new, embedder.encode_document([*new.values()]), strict=True))
            self._put(computed.items())
            known |= computed
        return np.stack([known[key] for key in keys]), len(new)

    def count_missing(self, texts: Iterable[str], embedder: Embedder) -> int:
        """How many different vectors would have to be computed for these texts."""
        with self._listed(texts, embedder):
            (missing,) = self._database.execute(
                "SELECT count(*) FROM listed WHERE key NOT IN (SELECT key FROM vectors)"
            ).fetchone()
        return int(missing)

    def keep_only(self, texts: Iterable[str], embedder: Embedder) -> None:
        """Delete every vector that is not of one of the texts."""
        with self._listed(texts, embedder):
            self._database.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM listed)")

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    @contextmanager
    def _listed(self, texts: Iterable[str], embedder: Embedder) -> Iterator[None]:
        """The texts' keys in the table `listed`, inside the block."""
        self._database.execute("CREATE TEMP TABLE listed (key TEXT PRIMARY KEY) WITHOUT ROWID")
        try:
            keys = ((_key(text, embedder),) for text in texts)
            with transaction(self._database):
                self._database.executemany("INSERT OR IGNORE INTO listed VALUES (?)", keys)
            yield
        finally:
            self._database.execute("DROP TABLE listed")

    def _get(self, keys: Sequence[str]) -> dict[str, Vectors]:
        rows = self._database.execute(
            "SELECT key, vector FROM vectors WHERE key IN (SELECT value FROM json_each(?))", [json.dumps(keys)]
        )
        return {key: np.frombuffer(vector, dtype=np.float32) for key, vector in rows}

    def _put(self, vectors: Iterable[tuple[str, Vectors]]) -> None:
        rows = ((key, vector.tobytes()) for key, vector in vectors)
        with transaction(self._database):
            self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA secure_delete = ON")  # what is deleted is gone from the file as well
        database.execute("CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, vector BLOB) WITHOUT ROWID")
    except sqlite3.Error:
        database.close()
        raise
    return database


def _key(text: str, embedder: Embedder) -> str:
    return hashlib.sha256(f"{embedder.fingerprint}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
