"""Messages with numbers: a model that repeats them shows to which messages its answer is."""

from __future__ import annotations

import re

NUMBER = re.compile(r"\bQ-\d{4}\b")
"""Of a form that the documents have no words for: what names it is answered without them."""
SECONDS_PER_PIECE, SLOW_SECONDS_PER_PIECE = 0.004, 0.08


def answer_to(text: str) -> str:
    """The numbers of all messages in the text."""
    return " ".join(NUMBER.findall(text)) + "."


def seconds_per_piece(text: str) -> float:
    """How long each character of the answer takes."""
    return SLOW_SECONDS_PER_PIECE if "SLOW" in text else SECONDS_PER_PIECE
