"""Messages that only point at what was said before: 「これ、分かる？」, "Any idea?". Pure.

Such a message has no subject of its own and is near to nothing. In a mean of two wordings it pulls the chunk that
answers what it points at below the floor.
"""

from __future__ import annotations

import re
import unicodedata

_JAPANESE = (
    *(
        "これ",
        "それ",
        "この件",
        "その件",
        "この質問",
        "その質問",
        "この話",
        "上の件",
        "上の質問",
        "ここ",
        "誰か",
        "どなたか",
    ),
    *(
        "わか",
        "分か",
        "判",
        "知って",
        "ご存知",
        "ご存じ",
        "教えて",
        "答えて",
        "調べて",
        "助けて",
        "お願い",
        "どう",
        "詳しく",
        "もっと",
    ),
    *(
        "代わりに",
        "について",
        "に関して",
        "ください",
        "下さい",
        "もらえ",
        "いただけ",
        "頂け",
        "でしょう",
        "思い",
        "なの",
    ),
    *("います", "ました", "ません", "ます", "です", "する", "して", "いる", "くれる", "くれ", "ない"),
    *("は", "が", "を", "に", "って", "る", "り", "ら", "か", "な", "ね", "よ", "の", "し", "と", "も"),
)
_ENGLISH = (
    *(
        "do",
        "does",
        "can",
        "could",
        "would",
        "will",
        "you",
        "know",
        "anyone",
        "anybody",
        "any",
        "idea",
        "ideas",
        "please",
    ),
    *(
        "help",
        "answer",
        "tell",
        "look",
        "explain",
        "me",
        "us",
        "with",
        "at",
        "about",
        "on",
        "this",
        "that",
        "it",
        "the",
    ),
    *("question", "above", "what", "how", "thoughts", "more", "details", "in", "to", "have", "is", "an"),
)
_BETWEEN = r"[\s、。,.!?…ー〜~]*+"
# Possessive: of several ways to cut a run of particles only the first is tried, so that none takes long.
_ONLY_POINTS = re.compile(
    rf"(?:(?>{'|'.join(sorted(_JAPANESE, key=len, reverse=True))}){_BETWEEN})++"
    rf"|(?:\b(?>{'|'.join(sorted(_ENGLISH, key=len, reverse=True))})\b{_BETWEEN})++"
)
_LONGEST_CHARS = 40
"""Longer than any of them, and short enough that looking costs nothing."""


def only_points(query: str) -> bool:
    """Whether the query names nothing of its own, so that what was said before it is the whole question."""
    plain = unicodedata.normalize("NFKC", query).casefold().strip()
    return len(plain) <= _LONGEST_CHARS and bool(_ONLY_POINTS.fullmatch(plain))
