"""What is marked within a line of Markdown, without its marks. Pure."""

from __future__ import annotations

import re

_HELD, _RELEASED = "\ufdd0", "\ufdd1"
"""Around what has to stay as it is while marks go; characters that Unicode keeps from being text."""

_URL_END = r"\s<>\"'`（）「」『』【】、。，！？|" + _HELD
_LITERAL = re.compile(
    r"\\(?P<escaped>[`*_{}\[\]()#+\-.!|~>])"
    r"|(?<!`)(?P<ticks>`{1,5})(?!`)(?P<code>[^\n]{1,2000}?)(?<!`)(?P=ticks)(?!`)"
    r"|!?\[(?P<label>(?:[^\[\]\n]|\[[^\[\]\n]{0,200}\]){0,500})\]"
    r"\(\s*<?(?P<target>(?:[^()\s<>]|\([^()\s]{0,500}\)){1,2000})>?(?:\s+\"[^\"\n]{0,200}\")?\s*\)"
    r"|<(?P<pointed>(?:https?://|mailto:)[^<>\s]{1,2000}|[\w.+-]{1,64}@[\w.-]{1,200})>"
    rf"|(?P<bare>https?://(?:(?!\*\*|~~)[^{_URL_END}]){{1,2000}})"
)
_HELD_BACK = re.compile(f"{_HELD}(\\d+){_RELEASED}")
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_INSIDE = r"((?:[^\n]|\n(?!\s*\n)){1,1000}?)"
_MARKS: tuple[re.Pattern[str], ...] = (
    re.compile(rf"\*\*(?=\S){_INSIDE}(?<=\S)\*\*(?![A-Za-z0-9])"),
    re.compile(rf"(?<!\w)__(?=\S){_INSIDE}(?<=\S)__(?!\w)"),
    re.compile(rf"~~(?=\S){_INSIDE}(?<=\S)~~"),
    re.compile(r"(?<![A-Za-z0-9*])\*(?=[^\s*])([^*\n]{1,1000}?)(?<!\s)\*(?![A-Za-z0-9*])"),
    re.compile(r"(?<!\w)_(?=\S)([^_\n]{1,1000}?)(?<!\s)_(?!\w)"),
    # Of an answer that is shown in parts the other end is missing; `2**3` and `**kwargs` stay.
    re.compile(r"()\*\*(?=[^\x00-\x7f])"),
    re.compile(r"()(?<=[^\x00-\x7f])\*\*"),
    re.compile(r"()(?<!\S)\*\*(?=[A-Z])"),
)


def without_marks(text: str) -> str:
    """The text as it reads: emphasis goes, a link becomes its words and address, code and addresses stay."""
    held: list[str] = []

    def hold(literal: str) -> str:
        held.append(literal)
        return f"{_HELD}{len(held) - 1}{_RELEASED}"

    def literal(found: re.Match[str]) -> str:
        if found["code"] is not None:
            return hold(_code(found["code"]))
        if found["target"] is not None:
            words, address = without_marks(found["label"]), hold(found["target"])
            return address if words in ("", found["target"]) else f"{hold(words)} ({address})"
        if found["bare"] is not None:
            address = found["bare"].rstrip(".,;:!?*_~)]")
            return hold(address) + found["bare"][len(address) :]
        return hold(found["escaped"] or found["pointed"])

    shown = _LITERAL.sub(literal, text.replace(_HELD, "").replace(_RELEASED, ""))
    shown = _BREAK.sub("\n", shown)
    for mark in _MARKS:
        shown = mark.sub(r"\1", shown)
    return _HELD_BACK.sub(lambda found: held[int(found[1])], shown)


def _code(inside: str) -> str:
    """What stands between the ticks, without the blanks that part it from them."""
    padded = inside.startswith(" ") and inside.endswith(" ") and inside.strip()
    return inside[1:-1] if padded else inside
