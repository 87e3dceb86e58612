"""Documents, chunks, passages: what the knowledge is made of."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.language import language

PUBLIC = "public"
MEMBERS = "members"

BREAK = "\f"
"""A form feed in a document's text: what stands before and after it never shares a chunk (rows of answers)."""

MAX_PREFIX_CHARS = 200
"""A document whose first heading is a whole page must not fill its chunks with it."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document as loaded.

    Args:
        id: stable for the same place in the same source.
        title: for people.
        uri: what a person can open, or the path within the source, with the source's title in front if it has one.
        text: Markdown or plain text, Unix line ends, NFC; a form feed is a BREAK.
        audience: labels of who may read it: `public`, `members`, or places and people by name (`slack:C1`, `line:U1`).
        language: a hint for the splitter, `ja` or `en`; empty: by script.
    """

    id: str
    title: str
    uri: str
    text: str
    audience: frozenset[str]
    language: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not in the index, and why, for people."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that is found and quoted as one; `id` is a SHA-256 of what it says, where and to whom."""

    id: str
    document_id: str
    title: str
    uri: str
    heading_path: tuple[str, ...]
    text: str
    audience: frozenset[str]

    @property
    def language(self) -> str:
        """The language that it is written in, `ja` or `en`."""
        return language(self.text)

    @property
    def searchable(self) -> str:
        """What is embedded and searched: title and headings in front of the text, which takes them for granted."""
        return " > ".join([self.title, *self.heading_path])[:MAX_PREFIX_CHARS] + "\n" + self.text


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, with its score (fused, comparable within one search only)."""

    chunk: Chunk
    score: float
