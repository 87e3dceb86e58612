"""The chunks of a generation with their numbers and audiences, beside the lexical index in `lexical.sqlite`."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from knowledge.documents import Chunk

VERSION = 2
"""Part of the index's fingerprint: raised when the tables change."""

_SCHEMA = """
CREATE TABLE audiences (
    number INTEGER PRIMARY KEY, labels TEXT NOT NULL, source TEXT NOT NULL, UNIQUE (labels, source)
);
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL, title TEXT NOT NULL,
    uri TEXT NOT NULL, heading_path TEXT NOT NULL, text TEXT NOT NULL,
    audience INTEGER NOT NULL REFERENCES audiences (number)
);
"""
_SELECT = (
    "SELECT chunks.number, id, document_id, title, uri, heading_path, text, labels, audience "
    "FROM chunks JOIN audiences ON audiences.number = chunks.audience"
)

NEIGHBOURS = 2
"""On each side of a chunk that is shown in its document."""


def create(database: sqlite3.Connection) -> None:
    """Make the tables of the chunks in a generation's database."""
    database.executescript(_SCHEMA)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A generation's database, usable from any thread, and readable on when its folder is removed.

    Raises:
        FileNotFoundError: it was removed before.
    """
    try:
        return sqlite3.connect(_immutable(path), uri=True, check_same_thread=False)
    except sqlite3.OperationalError as error:
        if path.exists():
            raise
        raise FileNotFoundError(path) from error


def add(database: sqlite3.Connection, chunks: Iterable[Chunk], source: str = "") -> None:
    """Give each chunk of a source the next number; one that is already there is passed over.

    Who reads a source elsewhere is another audience: so both narrow a search at the same point.

    Args:
        source: its title.
    """
    for chunk in chunks:
        labels = json.dumps(sorted(chunk.audience))
        headings = json.dumps(chunk.heading_path, ensure_ascii=False)
        database.execute("INSERT OR IGNORE INTO audiences (labels, source) VALUES (?, ?)", [labels, source])
        database.execute(
            "INSERT OR IGNORE INTO chunks (id, document_id, title, uri, heading_path, text, audience) "
            "VALUES (?, ?, ?, ?, ?, ?, (SELECT number FROM audiences WHERE labels = ? AND source = ?))",
            [chunk.id, chunk.document_id, chunk.title, chunk.uri, headings, chunk.text, labels, source],
        )


def readable(database: sqlite3.Connection, labels: frozenset[str], sources: Collection[str] = ()) -> tuple[int, ...]:
    """The numbers of the audiences that who bears these labels belongs to, of these sources where any are named.

    There are few different audiences, so a search filters by their numbers and not by label.
    """
    return tuple(
        number
        for number, audience, source in database.execute("SELECT * FROM audiences ORDER BY number")
        if labels.intersection(json.loads(audience)) and (not sources or source in sources)
    )


def get(database: sqlite3.Connection, numbers: Collection[int]) -> dict[int, Chunk]:
    """The chunks with these numbers."""
    chosen = f"{_SELECT} WHERE chunks.number IN (SELECT value FROM json_each(?))"  # noqa: S608 - two constants
    rows = database.execute(chosen, [json.dumps([*numbers])])
    return {row[0]: _chunk(row) for row in rows}


def named(database: sqlite3.Connection, ids: Collection[str]) -> dict[str, Chunk]:
    """The chunks with these ids, whoever may read them."""
    chosen = f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - two constants
    return {chunk.id: chunk for chunk in map(_chunk, database.execute(chosen, [json.dumps([*ids])]))}


def held(database: sqlite3.Connection, ids: Collection[str], audiences: Collection[int]) -> frozenset[str]:
    """Those of the ids that are chunks of one of these audiences."""
    chosen = (
        "SELECT id FROM chunks WHERE id IN (SELECT value FROM json_each(?)) "
        "AND audience IN (SELECT value FROM json_each(?))"
    )
    return frozenset(row[0] for row in database.execute(chosen, [json.dumps([*ids]), json.dumps([*audiences])]))


def around(database: sqlite3.Connection, chunk_id: str, audiences: Collection[int]) -> tuple[Chunk, ...]:
    """The chunk between its neighbours in the document, in reading order, those that are of one of these audiences.

    Nothing when the chunk itself is not. A document's chunks have consecutive numbers.
    """
    chosen = (
        f"{_SELECT} JOIN (SELECT number AS place, document_id AS within FROM chunks WHERE id = ?) "  # noqa: S608 - constants
        "ON document_id = within AND chunks.number BETWEEN place - ? AND place + ? "
        "WHERE audience IN (SELECT value FROM json_each(?)) ORDER BY chunks.number"
    )
    rows = database.execute(chosen, [chunk_id, NEIGHBOURS, NEIGHBOURS, json.dumps([*audiences])])
    chunks = tuple(map(_chunk, rows))
    return chunks if any(chunk.id == chunk_id for chunk in chunks) else ()


def batches(database: sqlite3.Connection, size: int) -> Iterator[list[tuple[int, Chunk, int]]]:
    """Every chunk with its number and its audience's number, in batches in the order of the numbers."""
    last = 0
    page = f"{_SELECT} WHERE chunks.number > ? ORDER BY chunks.number LIMIT ?"
    while rows := database.execute(page, [last, size]).fetchall():
        yield [(row[0], _chunk(row), row[-1]) for row in rows]
        last = rows[-1][0]


def audiences(database: sqlite3.Connection) -> tuple[int, ...]:
    """The numbers of all audiences."""
    return tuple(number for (number,) in database.execute("SELECT number FROM audiences"))


def digest(database: sqlite3.Connection) -> str:
    """One hash of all chunks, whatever their order."""
    said = hashlib.sha256()
    told = "SELECT id, title, uri, source FROM chunks JOIN audiences ON audiences.number = audience ORDER BY id"
    for facts in database.execute(told):
        said.update(json.dumps(facts).encode())
    return said.hexdigest()


def difference(database: sqlite3.Connection, other: Path) -> tuple[int, int]:
    """How many chunks it has that the other generation's database has not, and the other way round.

    The connection must take addresses, and no transaction may be under way.
    """
    database.execute("ATTACH ? AS other", [_immutable(other)])
    try:
        only = "SELECT count(*) FROM {}.chunks WHERE id NOT IN (SELECT id FROM {}.chunks)"
        (added,) = database.execute(only.format("main", "other")).fetchone()
        (removed,) = database.execute(only.format("other", "main")).fetchone()
        return added, removed
    finally:
        database.execute("DETACH other")


def documents_for(database: sqlite3.Connection, labels: frozenset[str]) -> list[tuple[str, str]]:
    """Id and uri of every document of which who bears these labels may read a chunk."""
    chosen = "SELECT DISTINCT document_id, uri FROM chunks WHERE audience IN (SELECT value FROM json_each(?))"
    return database.execute(chosen, [json.dumps(readable(database, labels))]).fetchall()


def documents(database: sqlite3.Connection) -> int:
    """How many documents have a chunk."""
    (total,) = database.execute("SELECT count(DISTINCT document_id) FROM chunks").fetchone()
    return int(total)


def of_document(database: sqlite3.Connection, document_id: str) -> frozenset[str]:
    """The ids of this document's chunks."""
    rows = database.execute("SELECT id FROM chunks WHERE document_id = ?", [document_id])
    return frozenset(str(chunk_id) for (chunk_id,) in rows)


def count(database: sqlite3.Connection) -> int:
    """How many chunks there are."""
    (total,) = database.execute("SELECT count(*) FROM chunks").fetchone()
    return int(total)


def _immutable(path: Path) -> str:
    """The address under which SQLite reads a file that nobody writes any more, without locks."""
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"


def _chunk(row: Sequence[str]) -> Chunk:
    _, chunk_id, document_id, title, uri, heading_path, text, labels, *_ = row
    return Chunk(
        id=chunk_id,
        document_id=document_id,
        title=title,
        uri=uri,
        heading_path=tuple(json.loads(heading_path)),
        text=text,
        audience=frozenset(json.loads(labels)),
    )
