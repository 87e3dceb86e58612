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
        lexical.add(connection, batch)
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


def test_a_middle_dot_separates():
    assert list(lexical.tokens("メール・電話")) == [*lexical.tokens("メール"), *lexical.tokens("電話")]


def test_hiragana_alone_are_not_searched_but_in_pairs():
    assert list(lexical.tokens("鍵はどこ")) == ["鍵", "鍵は", "はど", "どこ"]


def test_a_chunk_with_every_word_covers_the_whole_query_however_long_it_is(database):
    padding = "社員食堂は一階にあり、昼は十一時半から営業します。" * 20
    added = [chunk(5, "休憩室の鍵"), chunk(6, f"休憩室の鍵。{padding}")]
    chunk_store.add(database, added)
    lexical.add(database, [(number, one, 1) for number, one in enumerate(added, start=5)])

    found = lexical.search(database, "休憩室の鍵", [1], 5)

    assert [found[5], found[6]] == pytest.approx([1.0, 1.0], abs=1e-4)


def test_a_repeated_word_counts_once(database):
    added = [chunk(5, "給与は総務、賞与は人事"), chunk(6, "給与、給与、給与、給与、給与は経理")]
    chunk_store.add(database, added)
    lexical.add(database, [(number, one, 1) for number, one in enumerate(added, start=5)])

    found = lexical.search(database, "給与と賞与", [1], 5)

    assert found[5] > found[6]


def test_a_word_that_half_of_the_chunks_have_finds_nothing(database):
    for number in range(5, 11):
        added = [chunk(number, f"規程 {number}")]
        chunk_store.add(database, added)
        lexical.add(database, [(number, added[0], 1)])

    assert lexical.search(database, "規程", [1], 5) == {}


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


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("会議室の予約はいつまでですか？", "会議室の予約は まで"),
        ("会議室は何日前に予約しますか", "会議室は 日前に予約し"),
        ("誰が鍵を持つのか。", "が鍵を持つ"),
        ("会議室の予約について教えてください", "会議室の予約について"),
        ("Where is the VPN?", "the VPN"),
        ("Who resets WHAT, and how?", "resets, and"),
    ],
)
def test_words_that_only_ask_are_not_searched(database, question, words):
    rarities = lexical.rarities(database, question)

    assert set(rarities) <= set(lexical.tokens(words))


@pytest.mark.parametrize("word", ["幾何", "いつも", "どうろ", "ぶどう", "somewhere", "whatever"])
def test_words_that_look_like_asking_are_searched(database, word):
    assert set(lexical.rarities(database, f"{word}の話")) >= set(lexical.tokens(word))


@pytest.mark.parametrize("question", ["何ですか", "いつ？", "who", "教えてください"])
def test_a_question_that_only_asks_is_searched_as_it_is(database, question):
    assert set(lexical.rarities(database, question)) == set(lexical.tokens(question))


def test_grammar_and_parts_of_words_count_half(database):
    rarities = lexical.rarities(database, "窓口へ")

    assert rarities["窓"] == rarities["口へ"] == rarities["窓口"] / 2
