"""An answer as Slack shows it. Pure: text and sources in, the arguments of a message out.

Answers have passed `bot.sanitise`; that nobody is called by a message is held here once more, where Slack's own
spelling of mentions is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from bot.messages import Citation
from bot.slack.tables import with_lists_for_tables

MAX_PLAIN_CHARS = 4_000
"""Slack advises 4,000 characters for `text`; it only stands in where blocks cannot be shown (notifications)."""
MAX_ELEMENTS = 10
"""Elements that one context block takes."""
MAX_TITLE_CHARS = 150
MAX_LINK_CHARS = 2_000

_CALLING = re.compile(r"(<|&lt;)(?=[@!#])|[@＠](?=(?:channel|here|everyone)(?![a-z0-9_]))", re.IGNORECASE)
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ZERO_WIDTH_SPACE = "\u200b"


def message(part: str, sources: Sequence[str], *beneath: dict[str, Any]) -> dict[str, Any]:
    """`text` and `blocks` of a message: standard Markdown, the sources small beneath it, plain text to notify with.

    Args:
        beneath: further blocks, below the sources.
    """
    blocks: list[dict[str, Any]] = [{"type": "markdown", "text": defused(with_lists_for_tables(part))}]
    for first in range(0, len(sources), MAX_ELEMENTS):
        elements = [{"type": "mrkdwn", "text": source} for source in sources[first : first + MAX_ELEMENTS]]
        blocks.append({"type": "context", "elements": elements})
    return {"text": plain(part), "blocks": [*blocks, *beneath]}


def unmarked(text: str) -> dict[str, Any]:
    """The text without any markup: names of files are in it."""
    return {"text": plain(text), "parse": "none", "link_names": False}


def source_lines(citations: Iterable[Citation]) -> list[str]:
    """Each citation as mrkdwn: its number and title, linked when a browser can open it."""
    return [_source_line(citation) for citation in citations]


def defused(text: str) -> str:
    """The text with every mention broken by a space without width; code keeps its characters otherwise."""
    return _CALLING.sub(lambda found: found[0] + _ZERO_WIDTH_SPACE, text)


def plain(text: str) -> str:
    """The text escaped for Slack's `text`, cut to what one message takes."""
    escaped = defused(text).translate(_ESCAPES)
    if len(escaped) <= MAX_PLAIN_CHARS:
        return escaped
    return re.sub(r"&[a-z]{0,3}$", "", escaped[: MAX_PLAIN_CHARS - 1]) + "…"  # never half an escape


def _source_line(citation: Citation) -> str:
    title = " ".join((citation.title or citation.uri).split())[:MAX_TITLE_CHARS]
    label = defused(title).translate(_ESCAPES).replace("|", "¦")
    link = quote(citation.address, safe=":/?#[]@!$&'()*+,;=%-._~").translate(_ESCAPES)
    if not link or len(link) > MAX_LINK_CHARS:
        return f"[{citation.number}] {label}"
    return f"[{citation.number}] <{link}|{label}>"
