"""How people call the bot in a group: by a mention, by a call word, by quoting what it said. Pure.

LINE lists bots among who can be mentioned in few of its apps, so there are call words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_AT = re.compile(r"\A\s*[@＠]?")
_ADDRESSED = re.compile(
    r"(?:さん|ちゃん|くん|君|様|さま|先生|-?san\b)?(?:\Z|\.(?=\s|\Z)|[\s、,，､!！:：。｡…]+)\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class CallWords:
    """Words that call the bot when a text in a group begins with one."""

    words: tuple[str, ...] = ()

    @classmethod
    def listed(cls, setting: str) -> CallWords:
        """The words of a setting, separated by commas; none for a comma alone."""
        return cls(tuple(filter(None, map(str.strip, re.split(r"[,、，]", setting)))))

    def cut(self, text: str) -> str | None:
        """What is said to the bot in a text that begins with a call word; None for any other text.

        The rule: the word stands at the beginning (an @ may be in front), said as one calls a person. Behind it, or
        behind a さん, ちゃん, くん, 様, 先生 or -san, the text ends, or there is a space, a new line or one of
        `、,!:。…`. Width and case do not matter. So 「窓口、締め日は？」 and 「窓口さん 締め日は？」 call;
        「窓口はどこ？」, 「窓口業務」, 「窓口？」 and 「駅の窓口、…」 do not.
        """
        said = _AT.sub("", text)
        rests = (rest for word in self.words for rest in _behind(word, said))
        return next((rest[found.end() :] for rest in rests if (found := _ADDRESSED.match(rest))), None)


NO_WORDS: Final = CallWords()


def _behind(word: str, text: str) -> Iterable[str]:
    """What follows the word at the beginning of the text, where it may be longer or shorter in another width."""
    folded = _folded(word)
    for length in range(1, min(len(text), 4 * len(folded)) + 1):
        if _folded(text[:length]) == folded:
            yield text[length:]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _nobodys(_: str, __: str) -> bool:
    return False


def _everybodys(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Listening:
    """What the bot listens to.

    Args:
        call_words: that call it in a group.
        is_ours: whether a message, by LINE's id, in a conversation is one that the bot has shown; may raise
            StoreUnavailable.
        admins: who may administer, as `line:U…`; their words in a 1:1 chat are orders.
        knows: whether a message of somebody's, by our id, was taken in; may raise StoreUnavailable.
    """

    call_words: CallWords = NO_WORDS
    is_ours: Callable[[str, str], bool] = _nobodys
    admins: frozenset[str] = frozenset()
    knows: Callable[[str], bool] = _everybodys


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, in UTF-16 units."""

    start: int
    end: int


def mentions_of_the_bot(message: Mapping[str, Any]) -> list[Span]:
    """Where the bot is mentioned by itself; a mention of all is none. One that LINE would never place is nowhere."""
    mention = message.get("mention")
    mentionees = mention.get("mentionees") if isinstance(mention, Mapping) else None
    every = mentionees if isinstance(mentionees, list) else []
    return [_span(one) for one in every if isinstance(one, Mapping) and one.get("isSelf") is True]


def _span(mentionee: Mapping[str, Any]) -> Span:
    index, length = mentionee.get("index"), mentionee.get("length")
    if type(index) is not int or type(length) is not int or index < 0 or length < 0:
        return Span(0, 0)
    return Span(index, index + length)


def without(spans: Sequence[Span], text: str) -> str:
    """The text without these parts, which may overlap or lie outside.

    Half a surrogate pair, which no store can hold, becomes the replacement character.
    """
    units, kept, at = text.encode("utf-16-le", "surrogatepass"), [], 0
    for span in sorted(spans, key=lambda span: span.start):
        kept.append(units[2 * at : 2 * max(at, span.start)])
        at = max(at, span.end)
    return b"".join([*kept, units[2 * at :]]).decode("utf-16-le", "replace").strip()
