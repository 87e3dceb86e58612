"""Documents in pieces that are found and quoted as one: within a section, ending where a sentence or a row ends."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Self

from semantic_text_splitter import MarkdownSplitter

from knowledge.documents import BREAK, Chunk, Document
from knowledge.language import language

VERSION = 2
"""Part of the index's fingerprint: raised when the same document gives other chunks."""

_CAPACITY_CHARS = {"ja": (200, 400), "en": (400, 800)}
"""Filled to within the range: about 110 to 250 tokens of multilingual-e5, which stops at 512."""

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_TABLE_HEADER = re.compile(r"^\|.*\|[ \t]*\n\|[ \t:|-]+\|[ \t]*\n", re.MULTILINE)
_QUESTION = re.compile(r"Q: .*\nA: ")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")


@dataclass(frozen=True, slots=True)
class Limit:
    """What a chunk may measure for the embedder, its title and headings included."""

    max_tokens: int
    count_tokens: Callable[[str], int]


@dataclass(frozen=True, slots=True)
class _Section:
    heading_path: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class _Lead:
    """What a piece is not understood without: the question of an answer, the header of a table's rows.

    One of more than `max_chars` stays where it stands, since it would leave no room for text.
    """

    question: str
    max_chars: int
    longest: str

    @classmethod
    def of(cls, body: str, max_chars: int) -> Self:
        """What the pieces of this body may need."""
        found = _QUESTION.match(body)
        question = found[0] if found and len(found[0]) <= max_chars else ""
        headers = (header[0] for header in _TABLE_HEADER.finditer(body) if len(header[0]) <= max_chars)
        return cls(question, max_chars, max([question, *headers], key=len))

    def over_all(self, pieces: Iterator[str]) -> Iterator[str]:
        """The pieces, each with its lead where the cut took that away."""
        header = ""
        for at, piece in enumerate(pieces):
            rows = piece.startswith("|")
            if rows and not _TABLE_HEADER.match(piece):
                yield header + piece
            else:
                yield (self.question if at and not rows else "") + piece
            own = [found[0] for found in _TABLE_HEADER.finditer(piece)]
            header = own[-1] if own else header if rows else ""
            header = header if len(header) <= self.max_chars else ""


def split(document: Document, limit: Limit) -> Iterator[Chunk]:
    """The document's chunks in reading order; every sentence of it is in one."""
    capacity = _CAPACITY_CHARS[document.language or language(document.text)]
    for part in document.text.split(BREAK):
        for section in _sections(part, document.title):
            lead = _Lead.of(section.body, capacity[1] // 2)
            pieces = _fitting(section.body, capacity, partial(_fits, document, section, limit, lead))
            yield from (_chunk(document, section, text) for text in lead.over_all(pieces))


def _sections(text: str, title: str) -> Iterator[_Section]:
    """The parts between headings. A heading with nothing beneath it is itself what is said."""
    path: list[tuple[int, str]] = []
    for level, heading, body in _headed(text):
        path = [(above, name) for above, name in path if above < level] + ([(level, heading)] if heading else [])
        names = tuple(name for _, name in path if name != title)
        if body:
            yield _Section(names, body)


def _headed(text: str) -> Iterator[tuple[int, str, str]]:
    """Level, heading and body of each section; level 0 and no heading for what stands before the first."""
    level, heading, lines, fenced = 0, "", [], False
    for line in text.split("\n"):
        fenced ^= bool(_FENCE.match(line))
        found = None if fenced else _HEADING.match(line)
        if not found:
            lines.append(line)
            continue
        yield level, heading, _body(heading, lines, followed_by_deeper=len(found[1]) > level)
        level, heading, lines = len(found[1]), found[2], []
    yield level, heading, _body(heading, lines, followed_by_deeper=False)


def _body(heading: str, lines: list[str], *, followed_by_deeper: bool) -> str:
    body = "\n".join(lines).strip()
    return body or ("" if followed_by_deeper else heading)


def _fitting(text: str, capacity: tuple[int, int], fits: Callable[[str], bool]) -> Iterator[str]:
    """`text` in pieces of at most the capacity in characters, smaller where the embedder counts more tokens."""
    for piece in MarkdownSplitter(capacity).chunks(text):
        if capacity[1] <= 1 or fits(piece):
            yield piece
        else:
            yield from _fitting(piece, (capacity[0] // 2, capacity[1] // 2), fits)


def _fits(document: Document, section: _Section, limit: Limit, lead: _Lead, text: str) -> bool:
    return limit.count_tokens(_chunk(document, section, lead.longest + text).searchable) <= limit.max_tokens


def _chunk(document: Document, section: _Section, text: str) -> Chunk:
    said = json.dumps([document.id, section.heading_path, text, sorted(document.audience)], ensure_ascii=False)
    return Chunk(
        id=hashlib.sha256(said.encode()).hexdigest(),
        document_id=document.id,
        title=document.title,
        uri=document.uri,
        heading_path=section.heading_path,
        text=text,
        audience=document.audience,
    )
