"""Documents in pieces that are found and quoted as one: within a section, ending where a sentence or a row ends."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

from semantic_text_splitter import MarkdownSplitter

from knowledge.documents import BREAK, Chunk, Document
from knowledge.language import language

VERSION = 2
"""Part of the index's fingerprint: raised when the same document gives other chunks."""

_CAPACITY_CHARS = {"ja": 400, "en": 800}
"""Filled at least to the half: about 110 to 250 tokens of multilingual-e5, which stops at 512."""

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_TABLE = re.compile(r"^(\|.*\|[ \t]*\n\|[ \t:|-]+\|[ \t]*\n)((?:\|.*(?:\n|\Z))*)", re.MULTILINE)
_ANSWER = re.compile(r"(Q: .*\nA: )([\s\S]*)")
_PORTION = re.compile(r"[\s\S]{1,20000}(?:[^\n]{0,20000}(?:\n|\Z)|[^。．.!?！？]{0,2000}[。．.!?！？]?)")
"""Up to the end of a line or sentence: the splitter takes quadratic time for a long table, hours for a hostile one."""
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
class _Block:
    """Text, and what none of its pieces is understood without: an answer's question, a table's header."""

    lead: str
    text: str


def split(document: Document, limit: Limit) -> Iterator[Chunk]:
    """The document's chunks in reading order; every sentence of it is in one."""
    capacity = _CAPACITY_CHARS[document.language or language(document.text)]
    for part in document.text.split(BREAK):
        for section in _sections(part, document.title):
            for text in _pieces(section.body, capacity, partial(_fits, document, section, limit)):
                yield _chunk(document, section, text)


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


def _pieces(body: str, capacity: int, fits: Callable[[str], bool]) -> Iterator[str]:
    """A section as one piece if it fits, else each of its blocks in pieces that begin with the block's lead."""
    if len(body) <= capacity and fits(body):
        yield body
        return
    for block in _blocks(body, max_lead_chars=capacity // 2):
        yield from _fitting(block, capacity - len(block.lead), fits)


def _blocks(body: str, *, max_lead_chars: int) -> Iterator[_Block]:
    """A question with its answer; else tables, and the text around them. A longer lead would leave no room for text."""
    end = 0
    for found in [answer] if (answer := _ANSWER.fullmatch(body)) else _TABLE.finditer(body):
        lead, text = found.groups()
        yield _Block("", body[end : found.start()])
        yield _Block(lead, text) if text and len(lead) <= max_lead_chars else _Block("", found[0])
        end = found.end()
    yield _Block("", body[end:])


def _fitting(block: _Block, capacity: int, fits: Callable[[str], bool]) -> Iterator[str]:
    """Pieces of at most the capacity in characters beside the lead, smaller where the embedder counts more tokens."""
    splitter = MarkdownSplitter((max(1, capacity // 2), capacity))
    for text in chain.from_iterable(map(splitter.chunks, _PORTION.findall(block.text))):
        piece = block.lead + text
        if capacity <= 1 or fits(piece):
            yield piece
        else:
            yield from _fitting(_Block(block.lead, text), capacity // 2, fits)


def _fits(document: Document, section: _Section, limit: Limit, text: str) -> bool:
    return limit.count_tokens(_chunk(document, section, text).searchable) <= limit.max_tokens


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
