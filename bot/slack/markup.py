"""Slack's markup as plain text: `<@U1>`, `<#C1|name>`, `<url|label>`, `<!here>` and the three escapes."""

from __future__ import annotations

import re
from collections.abc import Set

_MARKUP = re.compile(r"<([^<>\n]+)>")
_MENTION = re.compile(r"<@([A-Za-z0-9]+)(?:\|[^<>\n]*)?>")
_CALL = re.compile(r"<!(?:here|channel|everyone|subteam\^)[^<>\n]*>")
_OWN_MENTION = re.compile(_MENTION.pattern + r"[ \u3000]*(?:[,、，：]|:(?=\s))?[ \u3000]*")


def mentions(text: str, users: Set[str]) -> bool:
    """Whether the text mentions one of the users."""
    return any(found[1] in users for found in _MENTION.finditer(text))


def calls_others(text: str, own: Set[str]) -> bool:
    """Whether the text mentions somebody else than `own`: a person, a group of them, or everybody there."""
    return bool(_CALL.search(text)) or any(found[1] not in own for found in _MENTION.finditer(text))


def plain_text(text: str, own: Set[str]) -> str:
    """The text as a person reads it, without mentions of `own` (and the comma or colon behind them)."""
    without_own = _OWN_MENTION.sub(lambda found: "" if found[1] in own else found[0], text)
    readable = _MARKUP.sub(lambda found: _readable(found[1]), without_own)
    for escape, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):  # & last: "&amp;lt;" was typed as "&lt;"
        readable = readable.replace(escape, character)
    # JSON can carry half of a surrogate pair; nothing behind us can encode it
    return readable.encode("utf-8", "ignore").decode("utf-8").strip()


def without_mentions(text: str) -> str:
    """The text as a person reads it, without the names of people."""
    return plain_text(text, {found[1] for found in _MENTION.finditer(text)})


def _readable(markup: str) -> str:
    """What Slack's clients show for the inside of `<…>`."""
    reference, _, label = markup.partition("|")
    match reference[0:1]:
        case "@" | "#" as sign:
            return sign + (label or reference[1:]).removeprefix(sign)
        case "!":  # <!here>, <!subteam^S1|@team>, <!date^1700000000^{date}|Nov 14>
            return label or "@" + reference[1:].partition("^")[0]
        case _:
            return _link(reference, label)


def _link(url: str, label: str) -> str:
    if not label or label in url:  # Slack makes links of bare addresses: <http://example.com|example.com>
        return label or url
    return f"{label} ({url})"
