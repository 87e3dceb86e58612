"""What a file says, or why it says nothing."""

from __future__ import annotations

from dataclasses import dataclass


class NoContent(ValueError):
    """The file gives no document; the message is the reason, for people."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says: `title` (empty when it names none) and `text` in Markdown.

    `pages` are the places in the text where its pages begin; empty for what has no pages.
    """

    title: str
    text: str
    pages: tuple[int, ...] = ()
