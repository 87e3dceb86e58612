"""The lexical side of the search: BM25 in SQLite's FTS5 over our own tokens.

FTS5's own tokenizers do not know Japanese: `unicode61` takes a sentence for one word, and `trigram` cannot find a word
of two characters.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from knowledge.documents import Chunk

VERSION = 1
"""Part of the index's fingerprint: raised when a text gives other tokens."""

MAX_QUERY_TOKENS = 128

_JAPANESE = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LONG_VOWEL = re.compile(r"(?<=[ァ-ヶ])[ー-]")
_RUN = re.compile(rf"([{_JAPANESE}]+)|[^\W_{_JAPANESE}]+(?:[-_.][^\W_{_JAPANESE}]+)*")
_JOINT = re.compile(r"[-_.]")

_SCHEMA = """
CREATE VIRTUAL TABLE terms USING fts5(tokens, content='', tokenize="unicode61 remove_diacritics 0");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(terms, 'row');
"""

_BM25_CEILING = 2.2
"""FTS5's bm25 gives a term at most k1 + 1 = 2.2 times its weight."""

ALL_ONCE = 1 / _BM25_CEILING
"""The coverage of a chunk of average length that has every token of the query once."""


def tokens(text: str) -> Iterator[str]:
    """What the text is searched by: words of letters and digits; of Japanese every character and every pair.

    Width, case and the long vowel mark do not matter: ｻｰﾊﾞ, サーバ and サーバー give the same. A compound is found by
    its parts and as one: Wi-Fi as wi, fi and wifi, the error E-517 as e, 517 and e517.
    """
    plain = _LONG_VOWEL.sub("", unicodedata.normalize("NFKC", text)).casefold()
    for run in _RUN.finditer(plain):
        yield from _pairs(run[1]) if run[1] else _compound(run[0])


def _pairs(run: str) -> Iterator[str]:
    yield from run
    yield from map("".join, pairwise(run))


def _compound(word: str) -> Iterator[str]:
    parts = _JOINT.split(word)
    yield from parts
    if len(parts) > 1:
        yield "".join(parts)


def create(database: sqlite3.Connection) -> None:
    """Make the tables of the lexical index in a generation's database."""
    database.executescript(_SCHEMA)


def add(database: sqlite3.Connection, chunks: Iterable[tuple[int, Chunk]]) -> None:
    """Make chunks searchable under their numbers."""
    rows = ((number, " ".join(tokens(chunk.searchable))) for number, chunk in chunks)
    database.executemany("INSERT INTO terms (rowid, tokens) VALUES (?, ?)", rows)


def search(database: sqlite3.Connection, query: str, audiences: Collection[int], limit: int) -> dict[int, float]:
    """The best chunks of the audiences by number, each with its coverage of the query, 0.0 to 1.0.

    Coverage is BM25 over what a chunk with every token of the query could reach. A token that no chunk has counts too:
    that is what lets a paraphrase or a question in another language trust the other side of the search.
    """
    asked = list(dict.fromkeys(tokens(query)))[:MAX_QUERY_TOKENS]
    ceiling = sum(_weights(database, asked).values()) * _BM25_CEILING
    if not asked or not audiences:
        return {}
    found = database.execute(
        "SELECT terms.rowid, -bm25(terms) FROM terms JOIN chunks ON chunks.number = terms.rowid "
        "WHERE terms MATCH ? AND chunks.audience IN (SELECT value FROM json_each(?)) ORDER BY bm25(terms) LIMIT ?",
        [" OR ".join(f'"{token}"' for token in asked), json.dumps([*audiences]), limit],
    )
    return {number: score / ceiling for number, score in found}


def _weights(database: sqlite3.Connection, asked: Sequence[str]) -> dict[str, float]:
    """Each token's weight by its rarity, as FTS5's bm25 has it."""
    (total,) = database.execute("SELECT count(*) FROM chunks").fetchone()
    holding = dict(
        database.execute(
            "SELECT term, doc FROM vocabulary WHERE term IN (SELECT value FROM json_each(?))", [json.dumps(asked)]
        )
    )
    return {token: _weight(total, holding.get(token, 0)) for token in asked}


def _weight(total: int, holding: int) -> float:
    return max(math.log((total - holding + 0.5) / (holding + 0.5)), 1e-6)
