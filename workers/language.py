"""The language of a sentence that a model wrote, beyond `bot.words.language`: a small model slips into Chinese, too."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["ja", "en", "zh", "ko", ""]

_QUOTED = "|".join(f"{left}[^{right}]{{0,400}}{right}" for left, right in ("「」", "『』", "“”", '""', "``"))
_ASIDE = re.compile(_QUOTED + r"|[a-z]{2,15}://[!-~]+|[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]+")
"""What a sentence only mentions: quotations, code and addresses may be in any language."""
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]")
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f][A-Za-z\u00c0-\u024f'’-]*")
_CHINESE = re.compile(r"是(?![正非認])|你|之[前后]|(?<=[\u3400-\u9fff])的(?=[\u3400-\u9fff]{2})")
"""Chinese that is written in characters which Japanese has as well."""
_MIN_HAN = 4
"""Fewer Chinese characters without kana are a name or a heading as well as a sentence."""


def spoken(sentence: str) -> Language:
    """The language that the sentence is in; empty where it shows none (a figure, a name, a code).

    A name in another script does not change a sentence's language: Latin words count as words, and what stands in
    quotation marks does not count.
    """
    own = _ASIDE.sub(" ", sentence)
    kana, han, latin = len(_KANA.findall(own)), len(_HAN.findall(own)), len(_WORD.findall(own))
    if len(_HANGUL.findall(own)) > kana + han + latin:
        return "ko"
    if kana and kana + han >= latin:
        return "zh" if foreign_characters(own) else "ja"
    if latin > max(han // 2, 1):
        return "en"
    return "zh" if foreign_characters(own) or (han >= _MIN_HAN and _CHINESE.search(own)) else ""


def foreign_characters(text: str) -> str:
    """The simplified characters of the text that no Japanese standard has: 请 and 费, but not 会 and 国."""
    return "".join(character for character in text if _only_in_chinese(character))


def is_in(language: str, sentence: str, *seen: str) -> bool:
    """Whether the sentence may stand in an answer in `language` (`ja` or `en`).

    Characters that stand in `seen` (the documents, the question) are nobody's slip: names have them.
    """
    familiar = "".join(seen)
    plain = "".join(" " if _only_in_chinese(letter) and letter in familiar else letter for letter in sentence)
    return spoken(plain) in {language, ""}


def _only_in_chinese(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" and _fits(character, "gb2312") and not _fits(character, "shift_jis")


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
