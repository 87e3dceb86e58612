"""The words that make a text a question, in Japanese and English. Pure.

A text that answers does not ask: its 何 and "which" are of other sentences, and being rare they would count for much.
"""

from __future__ import annotations

import re
import unicodedata

# 何 of 何年, but not of 幾何; いつ, but not いつも. A word in hiragana begins at a particle, if not at another script.
_INTERROGATIVE = re.compile(
    r"(?<![\u3400-\u9fff])何|誰|(?:(?<![\u3041-\u309f])|(?<=[はがをにでとの]))"
    r"(?:いつ(?!も|か|しか)|どこ(?!か|も)|だれ|どの(?:よう[なに])?|どれ(?!も)|どんな|どう(?=[しやなすい])|なぜ|いくつ"
    r"|いくら(?!も)|どちら)"
    r"|\b(?:what|who|whom|whose|when|where|which|why|how|do|does|did|is|are|was|were)\b",
    re.IGNORECASE,
)
_QUESTION_END = re.compile(
    r"(?:です|ます|でした|ました|でしょう|だった|だろう)?(?:の?か|の)?$"
    r"|を?(?:教え|答え|挙げ)(?:て|よ|なさい)?(?:くださ|下さ)?い?$"
)


def without_asking(query: str) -> str:
    """The query without the words that only ask; may be empty."""
    plain = unicodedata.normalize("NFKC", query).rstrip(" \n?!。")
    return _INTERROGATIVE.sub(" ", _QUESTION_END.sub(" ", plain))
