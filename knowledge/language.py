"""The language that a text is in, by script."""

from __future__ import annotations

import re

_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f]")
_LATIN = re.compile(r"[A-Za-z]")


def language(text: str) -> str:
    """`ja` or `en`: Japanese from a fifth of the letters on, since Japanese text quotes English names."""
    japanese, latin = len(_JAPANESE.findall(text)), len(_LATIN.findall(text))
    return "en" if latin and japanese * 4 < latin else "ja"
