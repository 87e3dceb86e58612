"""Tokens of a text where nobody can be asked: rather a few too many, so that a prompt fits.

One for each character that is not ASCII (two for the rare ones beyond 16 bits), for each digit and sign, for three
letters, for a line break, and some for what the template puts around a message. For a model that knows Japanese that is
between 1.0 and 2.5 times as many as there are (docs/decisions/remote-model.md).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

from workers.generation import ChatMessage

AROUND_A_MESSAGE = 8
_PIECES = re.compile(r" ?[A-Za-z]{1,3}|\n| {1,4}|[^\n]")
_LARGEST_OF_16_BITS = "\uffff"


def estimated_tokens(text: str) -> list[int]:
    """Numbers that stand for the tokens: the same for the same text, and a longer text goes on where it did."""
    numbers = []
    for piece in _PIECES.findall(text):
        number = zlib.crc32(piece.encode("utf-8", "replace"))
        numbers += [number, number] if piece > _LARGEST_OF_16_BITS else [number]
    return numbers


def estimated_chat(messages: Sequence[ChatMessage]) -> tuple[int, ...]:
    """The same for a chat with the assistant's turn opened."""
    numbers: list[int] = []
    for message in messages:
        numbers += _opening(message.role) + estimated_tokens(message.text)
    return (*numbers, *_opening("assistant"))


def _opening(role: str) -> list[int]:
    return [zlib.crc32(role.encode())] * AROUND_A_MESSAGE
