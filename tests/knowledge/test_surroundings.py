"""What stands around a chunk is of its own document, in reading order, and for who may read it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from knowledge import chunk_store
from knowledge.documents import MEMBERS, PUBLIC, Chunk

ONE = Chunk("", "one", "題", "one.md", (), "", frozenset({MEMBERS}))
OTHER = replace(ONE, document_id="other")


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """Five chunks of one document between those of others; the fourth is for somebody else."""
    chunks = [replace(OTHER, id="x"), *(replace(ONE, id=name) for name in "abcde"), replace(OTHER, id="y")]
    chunks[4] = replace(chunks[4], audience=frozenset({"slack:C9"}))
    with closing(sqlite3.connect(":memory:")) as opened:
        chunk_store.create(opened)
        chunk_store.add(opened, chunks)
        yield opened


def around(database: sqlite3.Connection, chunk_id: str, *labels: str) -> str:
    """The ids of what stands around a chunk for these labels."""
    readable = chunk_store.readable(database, frozenset(labels))
    return "".join(chunk.id for chunk in chunk_store.around(database, chunk_id, readable))


@pytest.mark.parametrize(
    ("chunk_id", "stands"), [("a", "abc"), ("b", "abcd"), ("c", "abcde"), ("e", "cde"), ("x", "x")]
)
def test_two_on_each_side_and_none_of_another_document(
    database: sqlite3.Connection, chunk_id: str, stands: str
) -> None:
    assert around(database, chunk_id, MEMBERS, "slack:C9") == stands


def test_a_neighbour_for_others_is_left_out(database: sqlite3.Connection) -> None:
    assert around(database, "c", MEMBERS) == "abce"


@pytest.mark.parametrize(
    ("chunk_id", "label"), [("c", PUBLIC), ("c", "slack:C9"), ("d", MEMBERS), ("gone", MEMBERS), ("' OR 1", MEMBERS)]
)
def test_around_a_chunk_that_may_not_be_read_there_is_nothing(
    database: sqlite3.Connection, chunk_id: str, label: str
) -> None:
    assert around(database, chunk_id, label) == ""
