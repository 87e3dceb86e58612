"""An administrator's words about who is let in, as they are said on LINE: in a 1:1 chat, and in the group itself."""

from __future__ import annotations

import re

from bot.line.ids import LINE_ID
from bot.words import plain

_ORDERS: dict[str, tuple[str, ...]] = {
    "invite": ("invite", "招待", "招待コード"),
    "allowed": ("allowed", "許可一覧"),
    "allow": ("allow", "許可", "参加を許可"),
    "revoke": ("revoke", "disallow", "取り消し", "取り消す", "許可を取り消し", "許可を取り消す"),
}
_NAMES = {word: name for name, words in _ORDERS.items() for word in words}
_OF_SOMEBODY = frozenset({"allow", "revoke"})
_MEANT_AS_ID = re.compile(r"line:\S*|[ucr][0-9a-f]{6,}")


def access_order(text: str) -> str | None:
    """The order that the text is as a whole, or None: `invite`, `allowed`, or `allow` and `revoke` with whom.

    That is an id of LINE (`revoke line:U…`; the `line:` may be left out), and nothing where there is none, or one that
    LINE does not have.
    """
    said = plain(text)
    if said in _NAMES:
        return _NAMES[said]
    verb, _, who = said.rpartition(" ")
    name = _NAMES.get(verb.strip())
    if name not in _OF_SOMEBODY or not _MEANT_AS_ID.fullmatch(who):
        return None
    return f"{name} {_id(who)}".strip()


def _id(who: str) -> str:
    """The id in LINE's own spelling, empty where it is none."""
    bare = who.removeprefix("line:")
    named = f"line:{bare[:1].upper()}{bare[1:]}"
    return named if LINE_ID.fullmatch(named) else ""
