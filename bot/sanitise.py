"""What may leave: no URL that a source does not have, no mention, no platform markup, no control token.

Documents and models are not trusted: whatever they say, an answer cannot ping a channel or send people to a link that
nobody wrote into a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_END = r"[^\s<>\"'`（）「」『』【】、。，．！？\]\)|]"
_SCHEMED = rf"(?:[a-z][a-z0-9+.-]{{1,15}}://|(?<![a-z0-9])(?:www\.|mailto:|javascript:|data:)){_END}+"
_TOP_LEVEL = "com|net|org|jp|io|co|dev|app|info|biz|xyz|ru|cn|me|ly|to|gg|site|top"
_BARE = rf"(?<![\w@.-])(?:[a-z0-9-]+\.)+(?:{_TOP_LEVEL})\b(?:/{_END}*)?"
_URL = re.compile(f"{_SCHEMED}|{_BARE}", re.IGNORECASE)
_TARGET = r"(?:[^()\s]|\([^()\s]{0,500}\)){1,2000}"
_MARKDOWN_LINK = re.compile(rf"!?\[([^\[\]\n]{{0,500}})\]\(({_TARGET})(?:\s+\"[^\"\n]*\")?\)")
_PLATFORM_MARKUP = re.compile(r"<[!@#][^>\n]{0,200}>|<(?:https?|mailto|tel|slack)[^>\n]{0,2000}>", re.IGNORECASE)
_CONTROL_TOKEN = re.compile(r"<\|[^|\n]{1,40}\|>|<(?:start|end)_of_turn>|\[/?INST\]|</?s>", re.IGNORECASE)
_MASS_MENTION = re.compile(r"(?<![@＠])[@＠]+(?=(?:channel|here|everyone|all|group)\b)", re.IGNORECASE)
_CONTROLS = r"\u0000-\u0008\u000b-\u001f\u007f"
_ZERO_WIDTH_AND_DIRECTION = r"\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_INVISIBLE = re.compile(f"[{_CONTROLS}{_ZERO_WIDTH_AND_DIRECTION}]")

REMOVED = "（リンク省略）"


def sanitise(text: str, sources: Iterable[str] = ()) -> str:
    """`text` as it may leave. Only URLs that are in `sources` (the passages and their addresses) stay.

    What goes leaves a space, so that what stood around it does not grow together into the same again.
    """
    known = frozenset(url for source in sources for url in urls(source))
    plain = visible(text)
    plain = _MARKDOWN_LINK.sub(lambda link: link[0] if _trimmed(link[2]) in known else link[1], plain)
    plain = _PLATFORM_MARKUP.sub(" ", _CONTROL_TOKEN.sub(" ", plain))
    plain = _URL.sub(lambda url: url[0] if _trimmed(url[0]) in known else REMOVED, plain)
    return _MASS_MENTION.sub("", plain)


def visible(text: str) -> str:
    """The text without what cannot be seen and makes the rest look like something else (controls, direction marks)."""
    return _INVISIBLE.sub("", text)


def urls(text: str) -> list[str]:
    """The addresses in a text, without the punctuation that follows them."""
    return [_trimmed(found) for found in _URL.findall(text)]


def _trimmed(url: str) -> str:
    return url.rstrip(".,;:!?*_~")
