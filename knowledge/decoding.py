"""The text in a file's bytes, or the reason why there is none."""

from __future__ import annotations

import codecs
import unicodedata

_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ENCODINGS = ("utf-8", "cp932", "euc_jp")
"""Strictly, in this order. Guessing libraries take short Shift_JIS and EUC-JP texts for Korean."""


class Undecodable(ValueError):
    """The bytes are no text; the message is the reason, for people."""


def decode(content: bytes) -> str:
    """The text: NFC, Unix line ends, no NUL.

    Raises:
        Undecodable: it is binary, or in none of the encodings.
    """
    text = _decoded(content)
    if "\0" in text:
        raise Undecodable("binary")
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def _decoded(content: bytes) -> str:
    marked = next((name for bom, name in _BOMS.items() if content.startswith(bom)), None)
    for encoding in [marked] if marked else _ENCODINGS:
        text = _try(content, encoding)
        if text is None:
            continue
        if encoding != "cp932" or not _mostly_halfwidth(text):
            return text
        return _try(content, "euc_jp") or text
    raise Undecodable("binary" if b"\0" in content else "neither UTF-8, UTF-16, Shift_JIS nor EUC-JP")


def _mostly_halfwidth(text: str) -> bool:
    """Whether it reads as half-width katakana, which is how cp932 reads nearly all EUC-JP bytes, without an error."""
    letters = [character for character in text if not character.isascii()]
    return sum("\uff61" <= character <= "\uff9f" for character in letters) * 2 > len(letters)


def _try(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None
