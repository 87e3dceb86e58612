"""The lexical side: what counts as the same word, and how well a chunk covers a question."""

import sqlite3

import pytest

from knowledge import chunk_store, lexical
from knowledge.documents import Chunk


def chunk(number: int, text: str, audience: str = "public") -> Chunk:
    return Chunk(str(number), "d", "題", "d.md", (), text, frozenset({audience}))


@pytest.fixture
def database():
    connection = sqlite3.connect(":memory:")
    chunk_store.create(connection)
    lexical.create(connection)
    texts = [
        "サーバーの設定は情報システム部です。",
        "会議室の予約は前日までです。",
        "E-517 は同時接続の上限です。",
        "鍵は総務",
    ]
    for number, text in enumerate(texts, start=1):
        chunk_store.add(connection, [chunk(number, text, "members" if number == 4 else "public")])
    for batch in chunk_store.batches(connection, 10):
        lexical.add(connection, ((number, one) for number, one, _ in batch))
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ｻｰﾊﾞ", "サーバー"),
        ("サーバ", "サーバー"),
        ("ＶＰＮ", "vpn"),
        ("Wi-Fi", "WI-FI"),
        ("データベース", "データーベース"),
    ],
)
def test_writings_of_one_word_are_the_same(one, other):
    assert list(lexical.tokens(one)) == list(lexical.tokens(other))


def test_a_compound_is_found_by_its_parts_and_as_one():
    assert list(lexical.tokens("E-517と")) == ["e", "517", "e517"]


@pytest.mark.parametrize(("query", "number"), [("ｻｰﾊﾞの設定", 1), ("予約", 2), ("E-517", 3), ("e517", 3)])
def test_the_chunk_with_the_words_comes_first(database, query, number):
    found = lexical.search(database, query, chunk_store.audiences(database), 5)

    assert next(iter(found)) == number
    assert 0.0 < found[number] <= 1.0


def test_words_that_no_chunk_has_lower_the_coverage(database):
    known = lexical.search(database, "会議室の予約", [1], 1)
    diluted = lexical.search(database, "会議室の予約 zebra quantum", [1], 1)

    assert diluted[2] < known[2] / 1.5


def test_only_the_audiences_asked_for_are_searched(database):
    (public,) = chunk_store.readable(database, frozenset({"public"}))

    assert lexical.search(database, "鍵", [public], 5) == {}
    assert set(lexical.search(database, "鍵", chunk_store.audiences(database), 5)) == {4}


@pytest.mark.parametrize("query", ["", "？！", '" OR tokens: *', "a" * 8000, "\0"])
def test_any_text_is_a_query(database, query):
    assert isinstance(lexical.search(database, query, [1, 2], 5), dict)
