"""Documents, chunks, passages: what the knowledge is made of, and how files become documents."""

from __future__ import annotations

from dataclasses import dataclass

PUBLIC = "public"
MEMBERS = "members"


@dataclass(frozen=True, slots=True)
class Document:
    """One document as loaded.

    Args:
        id: stable for the same place in the same source.
        title: for people.
        uri: what a person can open, or the path within the source.
        text: Markdown or plain text, Unix line ends, NFC.
        audience: labels of who may read it: `public`, `members`, or places and people by name (`slack:C1`, `line:U1`).
    """

    id: str
    title: str
    uri: str
    text: str
    audience: frozenset[str]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that is found and quoted as one; `id` is the SHA-256 of what it says and who may read it."""

    id: str
    document_id: str
    title: str
    uri: str
    heading_path: tuple[str, ...]
    text: str
    audience: frozenset[str]


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, with its score (fused, comparable within one search only)."""

    chunk: Chunk
    score: float
