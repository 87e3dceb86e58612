"""Words that are orders, in Japanese and English, and the language that a text is in."""

from __future__ import annotations

import re
import unicodedata

_ORDERS: dict[str, tuple[str, ...]] = {
    "reset": ("リセット", "最初から", "reset", "start over", "new topic"),
    "stop": ("ストップ", "停止", "止めて", "とめて", "stop", "cancel"),
    "forget": ("忘れて", "わすれて", "全部忘れて", "forget", "forget me"),
    "help": ("ヘルプ", "使い方", "help"),
}
_NAMES = {word: name for name, words in _ORDERS.items() for word in words}
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f]")
_LETTER = re.compile(r"[A-Za-z]")


def order(text: str) -> str | None:
    """The order that the text is as a whole (`reset`, `stop`, `forget`, `help`), or None when it is not one.

    Width, case and closing punctuation do not matter: 「ﾘｾｯﾄ。」 is an order, 「リセットの方法は？」 is not.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().strip().strip("。、．.!！ /")
    return _NAMES.get(plain)


def language(text: str) -> str:
    """`ja` or `en`, by script: Japanese from a fifth of the letters on, since Japanese text quotes English names."""
    japanese, latin = len(_JAPANESE.findall(text)), len(_LETTER.findall(text))
    return "en" if latin and japanese * 4 < latin else "ja"
