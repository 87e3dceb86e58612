"""Markdown and plain text. Pure."""

from __future__ import annotations

import re

from knowledge.documents import BREAK
from knowledge.formats.content import Content

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE_LINE = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE)
_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)


def from_markdown(text: str) -> Content:
    """Markdown without its front matter; the title is the front matter's, else the first heading of level one."""
    front = _FRONT_MATTER.match(text)
    body = text[front.end() :] if front else text
    found = (_TITLE_LINE.search(front[1]) if front else None) or _HEADING.search(body)
    return Content(title=found[1].strip("\"' ") if found else "", text=body.replace(BREAK, "\n"))


def from_text(text: str) -> Content:
    """Plain text as it is; it names no title."""
    return Content(title="", text=text.replace(BREAK, "\n"))
