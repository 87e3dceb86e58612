"""The lexical side of the search: how much of a question's rare words a chunk has. SQLite's FTS5 over our own tokens.

FTS5's own tokenizers do not know Japanese: `unicode61` takes a sentence for one word, and `trigram` cannot find a word
of two characters. And its ranking favours short chunks and words that are repeated, which says nothing where all chunks
are short: having the words or not finds more (docs/decisions/retrieval.md).
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

VERSION = 2
"""Part of the index's fingerprint: raised when a text gives other tokens."""

MAX_QUERY_TOKENS = 128

# Kana without the middle dot and what else separates or only marks: FTS5 does not take those for letters.
_JAPANESE = "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LONG_VOWEL = re.compile(r"(?<=[ァ-ヶ])[ー-]")
_RUN = re.compile(rf"([{_JAPANESE}]+)|[^\W_{_JAPANESE}]+(?:[-_.][^\W_{_JAPANESE}]+)*")
_HIRAGANA = re.compile("[\u3041-\u309f]")
_JOINT = re.compile(r"[-_.]")

_SCHEMA = """
CREATE VIRTUAL TABLE terms USING fts5(tokens, content='', tokenize="unicode61 remove_diacritics 0");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(terms, 'row');
CREATE TABLE sizes (number INTEGER PRIMARY KEY, audience INTEGER NOT NULL, tokens INTEGER NOT NULL);
"""

# FTS5's bm25 of a token that a chunk has once is its rarity x 2.2 / (1.3 + 0.9 x the chunk's size / the average size):
# k1 = 1.2 and b = 0.75 are built in. A chunk has every token once here, so that factor is the same for all of them.
_SEARCH = """
SELECT terms.rowid, -bm25(terms) * (1.3 + 0.9 * sizes.tokens / (SELECT avg(tokens) FROM sizes)) / 2.2 AS rarity
FROM terms JOIN sizes ON sizes.number = terms.rowid
WHERE terms MATCH ? AND sizes.audience IN (SELECT value FROM json_each(?)) ORDER BY rarity DESC, terms.rowid LIMIT ?
"""
_COMMON = 1e-6
"""FTS5's rarity of a token that half of the chunks have; looking for those takes time and finds nothing."""


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


def add(database: sqlite3.Connection, chunks: Iterable[tuple[int, Chunk]]) -> None:
    """Make chunks searchable under their numbers."""
    for number, chunk in chunks:
        once = dict.fromkeys(tokens(chunk.searchable))
        database.execute("INSERT INTO terms (rowid, tokens) VALUES (?, ?)", [number, " ".join(once)])
        database.execute(
            "INSERT INTO sizes SELECT number, audience, ? FROM chunks WHERE number = ?", [len(once), number]
        )


def search(database: sqlite3.Connection, query: str, audiences: Collection[int], limit: int) -> dict[int, float]:
    """The best chunks of the audiences by number, each with its coverage of the query, 0.0 to 1.0.

    Coverage is the rarity of the query's tokens that the chunk has, as a share of all. A token that no chunk has counts
    too: that is what lets a paraphrase or a question in another language trust the other side of the search.
    """
    asked = list(dict.fromkeys(tokens(query)))[:MAX_QUERY_TOKENS]
    rarities = _rarities(database, asked)
    telling = [token for token in asked if rarities[token] > _COMMON]
    if not telling or not audiences:
        return {}
    matching = " OR ".join(f'"{token}"' for token in telling)
    found = database.execute(_SEARCH, [matching, json.dumps([*audiences]), limit])
    return {number: min(1.0, rarity / sum(rarities.values())) for number, rarity in found}


def _rarities(database: sqlite3.Connection, asked: Sequence[str]) -> dict[str, float]:
    """Each token's rarity (inverse document frequency), as FTS5's bm25 has it."""
    (total,) = database.execute("SELECT count(*) FROM chunks").fetchone()
    holding = dict(
        database.execute(
            "SELECT term, doc FROM vocabulary WHERE term IN (SELECT value FROM json_each(?))", [json.dumps(asked)]
        )
    )
    return {token: _rarity(total, holding.get(token, 0)) for token in asked}


def _rarity(total: int, holding: int) -> float:
    return max(math.log((total - holding + 0.5) / (holding + 0.5)), _COMMON)
