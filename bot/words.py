"""Words that are orders, also an administrator's, in Japanese and English, and the language that a text is in."""

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
_ADMIN_ORDERS: dict[str, tuple[str, ...]] = {
    "reindex": ("reindex", "再インデックス", "読み直し"),
    "status": ("status", "状態"),
    "rollback": ("rollback", "戻す"),
    "sources": ("sources", "資料一覧"),
    "cancel": ("cancel", "cancel reindex", "中止"),
    "gaps": ("gaps", "未回答", "答えられなかった質問"),
    "help": ("help", "ヘルプ", "使い方"),
}
_ADMIN_NAMES = {word: name for name, words in _ADMIN_ORDERS.items() for word in words}
_OPTIONS: dict[str, tuple[str, ...]] = {
    "accept": ("accept", "受け入れる"),
    "allow-empty": ("allow-empty", "空でも"),
    "dry-run": ("dry-run", "試すだけ"),
}
_OPTION_NAMES = {word: name for name, words in _OPTIONS.items() for word in words}
CHANGING = frozenset({"reindex", "rollback"})
"""Orders by which the index changes, in words that nobody says by chance: who may not give them is told so."""
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f]")
_LETTER = re.compile(r"[A-Za-z]")


def order(text: str) -> str | None:
    """The order that the text is as a whole (`reset`, `stop`, `forget`, `help`), or None when it is not one.

    Width, case and closing punctuation do not matter: 「ﾘｾｯﾄ。」 is an order, 「リセットの方法は？」 is not.
    """
    return _NAMES.get(plain(text))


def admin_order(text: str) -> str | None:
    """The administrator's order that the text is as a whole, options behind it (`reindex accept`), or None."""
    said = plain(text)
    if said in _ADMIN_NAMES:
        return _ADMIN_NAMES[said]
    verb, *options = said.split() or [""]
    known = [_OPTION_NAMES.get(option.removeprefix("--")) for option in options]
    if _ADMIN_NAMES.get(verb) != "reindex" or None in known:
        return None
    return " ".join(["reindex", *sorted({option for option in known if option})])


def said_to_administer(text: str, *, is_admin: bool) -> str | None:
    """The administrator's order that the text is when it is said in a conversation with the bot alone.

    Who is no administrator gives only orders to change the index, to be told that they may not; a "status" of theirs is
    a question like any other.
    """
    told = admin_order(text)
    return told if told and (is_admin or told.split()[0] in CHANGING) else None


def language(text: str) -> str:
    """`ja` or `en`, by script: Japanese from a fifth of the letters on, since Japanese text quotes English names."""
    japanese, latin = len(_JAPANESE.findall(text)), len(_LETTER.findall(text))
    return "en" if latin and japanese * 4 < latin else "ja"


def plain(text: str) -> str:
    """The text as orders are written down: width, case, closing punctuation and a slash in front are gone."""
    return unicodedata.normalize("NFKC", text).casefold().strip().strip("。、．.!！ /")
