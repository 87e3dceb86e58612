"""Kinds of files as Markdown: what a file says, by the end of its name and its bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from knowledge.decoding import decode
from knowledge.formats.apart import read_apart
from knowledge.formats.content import Content, NoContent
from knowledge.formats.html import from_html
from knowledge.formats.plain import from_markdown, from_text
from knowledge.formats.separated import from_csv

__all__ = ["SUFFIXES", "Content", "NoContent", "read", "suffix"]

_TEXT: dict[str, Callable[[str], Content]] = {
    ".md": from_markdown,
    ".markdown": from_markdown,
    ".txt": from_text,
    ".html": from_html,
    ".htm": from_html,
    ".csv": from_csv,
    ".tsv": from_csv,
}
_APART = frozenset({".pdf", ".docx", ".pptx", ".xlsx"})
_FORMER = {".doc": ".docx", ".ppt": ".pptx", ".xls": ".xlsx"}
SUFFIXES = _APART.union(_TEXT)


def suffix(name: str) -> str:
    """The kind of a file of this name, one of SUFFIXES.

    Raises:
        NoContent: that kind is not read.
    """
    kind = PurePosixPath(name).suffix.lower()
    if kind in _FORMER:
        raise NoContent(f"an Office file of before 2007: save it as {_FORMER[kind]}")
    if kind not in SUFFIXES:
        raise NoContent("not a kind of file that is read")
    return kind


def read(name: str, content: bytes, apart: Callable[[str, bytes], Content] = read_apart) -> Content:
    """What a file of this name says; PDF and Office files are read by `apart`.

    Raises:
        NoContent, Undecodable: nothing, for the reason given.
    """
    kind = suffix(name)
    if not content:
        raise NoContent("empty")
    return apart(kind, content) if kind in _APART else _TEXT[kind](decode(content))
