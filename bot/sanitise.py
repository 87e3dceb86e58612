"""What may leave: no URL that a source does not have, no mention, no platform markup, no control token.

Documents and models are not trusted: whatever they say, an answer cannot ping a channel or send people to a link that
nobody wrote into a document.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_END = r"[^\s<>\"'`（）「」『』【】、。，！？\]\)|]"
_LETTER = r"a-z\u00c0-\u052f"
"""Latin, and what looks like it: Greek and Cyrillic."""
_SCHEMED = (
    rf"(?:[{_LETTER}][{_LETTER}0-9+.-]{{0,15}}://|(?<![a-z0-9])(?:www\.|mailto:|javascript:|vbscript:|data:)){_END}+"
)
_TOP_LEVEL = (
    "com|net|org|jp|io|co|dev|app|info|biz|xyz|ru|cn|me|ly|to|gg|site|top|tk|ml|ga|cf|gq|cc|ws|pw|su|tv|ai|uk|de|fr|kr"
    "|tw|eu|click|link|online|shop|zip|mov|page|cloud|live|club|store|tech|work"
)
_LABELS = rf"(?:[{_LETTER}0-9-]{{1,63}}\.)+"
_TAIL = rf"(?::\d{{1,5}})?(?:[/?#]{_END}*)?"
_BARE = (
    rf"(?<![{_LETTER}0-9@.-])(?:[a-z0-9_+][a-z0-9._+-]{{0,63}}@)?"
    rf"(?:{_LABELS}(?:(?:{_TOP_LEVEL}|xn--[a-z0-9-]+)(?![{_LETTER}0-9-]){_TAIL}|[a-z]{{2,24}}(?::\d{{1,5}})?/{_END}+)"
    rf"|(?:\d{{1,3}}(?:\.\d{{1,3}}){{3}}|0x[0-9a-f]{{8}})(?::\d{{1,5}})?/{_END}+)"
)
_URL = re.compile(f"{_SCHEMED}|{_BARE}", re.IGNORECASE)
_TARGET = r"(?:[^()\s]|\([^()\s]{0,500}\)){1,2000}"
_MARKDOWN_LINK = re.compile(rf"!?\[([^\[\]\n]{{0,500}})\]\(({_TARGET})(?:\s+\"[^\"\n]*\")?\)")
_OPEN = "(?:<|&lt;)"
_CLOSE = "(?:>|&gt;)"
_PLATFORM_MARKUP = re.compile(
    rf"{_OPEN}[!@#][^<>&\n]{{0,200}}{_CLOSE}|<[!@#][^>\n]{{0,200}}>|<(?:https?|mailto|tel|slack)[^>\n]{{0,2000}}>"
    r"|</?(?:a|img|script|iframe|link|meta|svg|form|style|object|embed|base|input|video|audio)\b[^<>\n]{0,2000}>",
    re.IGNORECASE,
)
_CONTROL_TOKEN = re.compile(
    r"<[|｜][^|｜\n]{1,40}[|｜]>|</?(?:start|end)_of_turn>|</?(?:s|bos|eos|pad|unk)>|<</?SYS>>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\]",
    re.IGNORECASE,
)
_MASS_MENTION = re.compile(
    r"(?<![@＠])[@＠]+(?=(?:channel|here|everyone|all|group)(?![a-z0-9_])|全員|みんな|チャンネル)", re.IGNORECASE
)
_CONTROLS = r"\u0000-\u0008\u000b-\u001f\u007f"
_ZERO_WIDTH_AND_DIRECTION = r"\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\u3164\ufeff"
_TAGS = r"\U000e0000-\U000e007f"
_INVISIBLE = re.compile(f"[{_CONTROLS}{_ZERO_WIDTH_AND_DIRECTION}{_TAGS}]")
_IN_ADDRESSES = re.compile(r"[a-z0-9.:/@%_?#=&-]", re.IGNORECASE)

REMOVED = "（リンク省略）"


def sanitise(text: str, sources: Iterable[str] = ()) -> str:
    """`text` as it may leave. Only URLs that are in `sources` (the passages and their addresses) stay.

    What goes leaves a space, so that what stood around it does not grow together into the same again.
    """
    known = frozenset(url for source in sources for url in urls(source))
    plain = visible(text)
    plain = _MARKDOWN_LINK.sub(lambda link: link[0] if _trimmed(link[2]) in known else link[1], plain)
    plain = _PLATFORM_MARKUP.sub(" ", without_control_tokens(plain))
    return _without_mentions(_without_addresses(plain, known))


def without_control_tokens(text: str) -> str:
    """The text without what chat templates put between turns, whichever model they are of."""
    return _CONTROL_TOKEN.sub(" ", text)


def visible(text: str) -> str:
    """The text without what cannot be seen and makes the rest look like something else (controls, direction marks)."""
    return _INVISIBLE.sub("", text)


def urls(text: str) -> list[str]:
    """The addresses in a text, without the punctuation that follows them."""
    return [_trimmed(found) for found in _URL.findall(text)]


def _without_addresses(text: str, known: frozenset[str]) -> str:
    parts, end = [], 0
    for found in _URL.finditer(_narrow(text)):
        written = text[found.start() : found.end()]
        kept = written if _trimmed(written) in known else REMOVED
        parts += [text[end : found.start()], kept]
        end = found.end()
    return "".join([*parts, text[end:]])


def _without_mentions(text: str) -> str:
    kept = list(text)
    for found in _MASS_MENTION.finditer(_narrow(text)):
        kept[found.start() : found.end()] = [""] * len(found[0])
    return "".join(kept)


def _narrow(text: str) -> str:
    """The text, as long as before, with full-width and ornamental letters as the ones that platforms take them for."""
    return text if text.isascii() else "".join(map(_narrow_character, text))


@lru_cache(maxsize=4096)
def _narrow_character(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and _IN_ADDRESSES.match(folded) else character


def _trimmed(url: str) -> str:
    return url.rstrip(".,;:!?*_~")
