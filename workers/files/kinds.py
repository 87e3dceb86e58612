"""Which files are read, under which name, and in a word why one is not. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from bot.sanitise import sanitise
from knowledge.formats import SUFFIXES, NoContent, suffix

MOST_BYTES: Final = 5_000_000
NAMELESS: Final = "file"

_PAGES: Final = frozenset({".html", ".htm"})
"""Not read: a platform answers with a page, too, where it does not hand a file over."""
_ENDINGS: Final = {
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
}
_MEDIA: Final = ("image/", "audio/", "video/")
_WHY: Final = (
    ("empty", "empty"),
    ("a PDF without text", "scanned"),
    ("encrypted", "encrypted"),
    ("binary", "binary"),
    ("neither UTF-8", "binary"),
    ("larger", "too_large"),
    ("more than", "too_large"),
    ("takes longer", "too_hard"),
    ("needs too much", "too_hard"),
    ("an Office file of before", "old_office"),
    ("not a kind", "other_kind"),
)
"""How the reasons of `knowledge.formats` begin, and what a person is told; all others: damaged."""


class Unreadable(Exception):
    """A file is not read; `why` names the reason (`workers/phrases.py`, with `file_` in front)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def readable_name(name: str, mimetype: str) -> str:
    """The file's name with an ending that says how it is read: what is called "Untitled" by its type.

    Raises:
        Unreadable: it is of no kind that is read.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending in SUFFIXES - _PAGES:
        return name
    if mimetype.startswith(_MEDIA):
        raise Unreadable("media")
    if ending not in _PAGES and mimetype in _ENDINGS:
        return f"{name or NAMELESS}{_ENDINGS[mimetype]}"
    try:
        suffix(name)
    except NoContent as error:
        raise Unreadable(why(str(error))) from error
    raise Unreadable("other_kind")


def why(reason: str) -> str:
    """The reason of `knowledge.formats` in a word."""
    return next((word for begins, word in _WHY if reason.startswith(begins)), "damaged")


def shown_name(name: str) -> str:
    """The name as it may leave: on one line, no mention, no address that somebody made of it."""
    plain = " ".join(sanitise(name).split())
    if plain == " ".join(name.split()):
        return plain or NAMELESS
    stem, _, ending = name.rpartition(".")  # "archive.zip" can be an address as well
    return " ".join(sanitise(f"{stem} ({ending})" if stem else name).split()) or NAMELESS
