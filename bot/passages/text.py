"""A document's Markdown as HTML that is safe whatever the document says. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from bot.sanitise import visible

_OPENS = re.compile(r"https?://", re.IGNORECASE)


class _Html(RendererHTML):
    """Links lead only to the web and tell it nothing, an image is the words that stand for it."""

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        href = str(tokens[idx].attrGet("href"))
        return f'<a href="{escape(href)}" rel="nofollow noopener noreferrer">' if _OPENS.match(href) else "<a>"

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return escape(tokens[idx].content)

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "<th>"  # without its style: the page's policy takes none

    def td_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "<td>"


# Plain text is indented and broken into lines for reasons of its own: that makes no code of it, and the breaks stay.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20}, renderer_cls=_Html)
    .enable(["table", "strikethrough"])
    .disable(["code", "reference"])
)


def html(markdown: str) -> str:
    """The Markdown of a document as HTML: no script, no image, no markup of the document's own."""
    return str(_MARKDOWN.render(visible(markdown)))
