"""Greetings and thanks: answered at once, without a search and without the model."""

from __future__ import annotations

import re
import unicodedata

_KINDS = {
    "hello": (
        *(
            "こんにちは",
            "こんにちわ",
            "こんばんは",
            "おはよう",
            "おはようございます",
            "はじめまして",
            "やあ",
            "お疲れ様です",
        ),
        *("hello", "hi", "hey", "hi there", "hello there", "good morning", "good afternoon", "good evening"),
    ),
    "thanks": (
        *(
            "ありがとう",
            "ありがとうございます",
            "ありがとうございました",
            "どうも",
            "助かりました",
            "了解",
            "了解です",
            "わかりました",
        ),
        *("thanks", "thank you", "thank you very much", "thanks a lot", "got it", "ok thanks"),
    ),
}
_KIND_OF = {words: kind for kind, all_words in _KINDS.items() for words in all_words}


def kind(text: str) -> str | None:
    """`hello` or `thanks` when that is all that the text says, else None."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _KIND_OF.get(re.sub(r"[\s。、!！?.,~〜ー☺-⛿\U0001f300-\U0001faff]+$", "", plain).strip())
