"""The lexical side of the search: how much of a question's rare words a chunk has.

An inverted index over our own tokens, in SQLite. SQLite's own (FTS5) does not know Japanese: `unicode61` takes a
sentence for one word, and `trigram` cannot find a word of two characters. And its ranking, BM25, favours short chunks
and words that are repeated, which says nothing where all chunks are short (docs/decisions/retrieval.md).
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Chunk
from knowledge.interrogatives import without_asking

VERSION = 4
"""Part of the index's fingerprint: raised when a text gives other tokens, or they are kept in another way."""

MAX_QUERY_TOKENS = 128

# Kana without the middle dot and what else only separates or marks.
_JAPANESE = "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LONG_VOWEL = re.compile(r"(?<=[ァ-ヶ])[ー-]")
_RUN = re.compile(rf"([{_JAPANESE}]+)|[^\W_{_JAPANESE}]+(?:[-_.][^\W_{_JAPANESE}]+)*")
_HIRAGANA = re.compile("[\u3041-\u309f]")
_JOINT = re.compile(r"[-_.]")

# The numbers of the chunks that have a token, and of those that an audience may read: 32-bit, in pieces as they came.
_SCHEMA = """
CREATE TABLE postings (token TEXT, first INTEGER, numbers BLOB NOT NULL, PRIMARY KEY (token, first)) WITHOUT ROWID;
CREATE TABLE readable (audience INTEGER, first INTEGER, numbers BLOB NOT NULL, PRIMARY KEY (audience, first))
    WITHOUT ROWID;
"""
_POSTINGS = "SELECT token, numbers FROM postings WHERE token IN (SELECT value FROM json_each(?))"
_READABLE = "SELECT audience, numbers FROM readable WHERE audience IN (SELECT value FROM json_each(?))"

_COMMON = 1e-6
"""The rarity of a token that half of the chunks have."""

_CHANCE = MAX_QUERY_TOKENS * _COMMON
"""A chunk that has no more rarity of a query than this has none of its words but common ones."""

Numbers = NDArray[np.int32]
Key = TypeVar("Key", str, int)


def tokens(text: str) -> Iterator[str]:
    """What the text is searched by: words of letters and digits; of Japanese every pair of characters, and kanji and
    katakana alone as well. Hiragana alone are in every text.

    Width, case and the long vowel mark do not matter: ｻｰﾊﾞ, サーバ and サーバー give the same. A compound is found by
    its parts and as one: Wi-Fi as wi, fi and wifi, the error E-517 as e, 517 and e517.
    """
    plain = _LONG_VOWEL.sub("", unicodedata.normalize("NFKC", text)).casefold()
    for run in _RUN.finditer(plain):
        yield from _pairs(run[1]) if run[1] else _compound(run[0])


def _pairs(run: str) -> Iterator[str]:
    yield from _HIRAGANA.sub("", run)
    yield from map("".join, pairwise(run))


def _compound(word: str) -> Iterator[str]:
    parts = _JOINT.split(word)
    yield from parts
    if len(parts) > 1:
        yield "".join(parts)


def create(database: sqlite3.Connection) -> None:
    """Make the tables of the lexical index in a generation's database."""
    database.executescript(_SCHEMA)


def add(database: sqlite3.Connection, chunks: Iterable[tuple[int, Chunk, int]]) -> None:
    """Make chunks searchable, each with its number and its audience's number."""
    postings: dict[str, list[int]] = defaultdict(list)
    readable: dict[int, list[int]] = defaultdict(list)
    for number, chunk, audience in chunks:
        readable[audience].append(number)
        for token in set(tokens(chunk.searchable)):
            postings[token].append(number)
    database.executemany("INSERT INTO postings VALUES (?, ?, ?)", _pieces(postings))
    database.executemany("INSERT INTO readable VALUES (?, ?, ?)", _pieces(readable))


def _pieces(lists: Mapping[Key, list[int]]) -> Iterator[tuple[Key, int, bytes]]:
    return ((key, numbers[0], np.array(numbers, np.int32).tobytes()) for key, numbers in lists.items())


def search(database: sqlite3.Connection, query: str, audiences: Collection[int], limit: int) -> dict[int, float]:
    """The best chunks of the audiences by number, each with its coverage of the query, 0.0 to 1.0.

    Coverage is the rarity of the query's tokens that the chunk has, as a share of all. A token that no chunk has counts
    too: that is what lets a paraphrase or a question in another language trust the other side of the search.
    """
    asked = _asked(query)
    postings = _numbers(database, _POSTINGS, asked)
    total, last = _size(database)
    rarities = _rarities(asked, postings, total)
    found = np.zeros(last + 1)
    for token, numbers in postings.items():
        found[numbers] += rarities[token]
    found[~_readable(database, audiences, last)] = 0.0
    best, all_of_them = np.argsort(-found, kind="stable")[:limit], sum(rarities.values())
    return {int(number): float(found[number]) / all_of_them for number in best if found[number] > _CHANCE}


def rarities(database: sqlite3.Connection, query: str) -> dict[str, float]:
    """How rare each token of the query is in the index, for the coverage of texts that are not in it."""
    asked = _asked(query)
    return _rarities(asked, _numbers(database, _POSTINGS, asked), _size(database)[0])


def coverage(rarities: Mapping[str, float], text: str) -> float:
    """A text's coverage of a query whose tokens are as rare as this, 0.0 to 1.0; as `search` gives it for chunks."""
    held = sum(rarities[token] for token in rarities.keys() & set(tokens(text)))
    return held / sum(rarities.values()) if held > _CHANCE else 0.0


def _asked(query: str) -> list[str]:
    """The query's tokens, without the words that only ask, unless there are no others."""
    asked = dict.fromkeys(tokens(without_asking(query))) or dict.fromkeys(tokens(query))
    return list(asked)[:MAX_QUERY_TOKENS]


def _rarities(asked: Sequence[str], postings: Mapping[str, Numbers], total: int) -> dict[str, float]:
    return {token: _share(token) * _rarity(total, len(postings.get(token, ()))) for token in asked}


def _share(token: str) -> float:
    """Of its rarity that a token counts for: half where it is grammar (hiragana) or part of another (a character)."""
    return 0.5 if _HIRAGANA.search(token) or len(token) == 1 else 1.0


def _readable(database: sqlite3.Connection, audiences: Collection[int], last: int) -> NDArray[np.bool_]:
    """By a chunk's number, whether one of the audiences may read it."""
    readable = np.zeros(last + 1, dtype=np.bool_)
    for numbers in _numbers(database, _READABLE, [*audiences]).values():
        readable[numbers] = True
    return readable


def _numbers(database: sqlite3.Connection, select: str, keys: Sequence[Key]) -> dict[Key, Numbers]:
    """The chunks' numbers by key; a key that nothing has is left out."""
    pieces: dict[Key, list[bytes]] = defaultdict(list)
    for key, numbers in database.execute(select, [json.dumps(keys)]):
        pieces[key].append(numbers)
    return {key: np.frombuffer(b"".join(some), np.int32) for key, some in pieces.items()}


def _size(database: sqlite3.Connection) -> tuple[int, int]:
    """How many chunks there are, and the highest number of one."""
    total, last = database.execute("SELECT count(*), max(number) FROM chunks").fetchone()
    return total, last or 0


def _rarity(total: int, holding: int) -> float:
    """The inverse document frequency of a token."""
    return max(math.log((total - holding + 0.5) / (holding + 0.5)), _COMMON)
