"""Fencing: what documents, files and people wrote is data in a prompt, whatever it pretends to be.

Control tokens are no tokens there anyway (docs/decisions/chat-templates-never-see-messages.md). What is left to forge
is the prompt's own form in plain text, and what is left to steal are its instructions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bot.sanitise import visible, without_control_tokens

RECITED_CHARS = 12
RECITED_LATIN_CHARS = 24
"""From which run on a sentence recites the instructions; a Latin letter says less than a kanji."""

_FORGED_NUMBER = re.compile(r"^([ \t　]*)\[(\d{1,3})\]", re.MULTILINE)
_FORGED_LABEL = re.compile(
    r"^([ \t　#*>]*)(資料|質問|前に聞いたこと|スレッドでの先の発言|Question|Said before|Said in the thread before"
    r"|質問した人|The asker|system|assistant|user|developer|システム|アシスタント|Instructions?|Response)"
    r"([ \t*　]*)[:：]",
    re.MULTILINE | re.IGNORECASE,
)
_UNSPOKEN = re.compile(r"[\W_]+")


def fenced(text: str) -> str:
    """The text as data: it can neither open a turn nor look like a passage, a question or an instruction of ours."""
    plain = without_control_tokens(visible(text))
    return _FORGED_LABEL.sub(r"\1「\2」\3", _FORGED_NUMBER.sub(r"\1(\2)", plain))


def on_one_line(text: str) -> str:
    """A title or a heading as data; a line break in it would end the place that it has."""
    return fenced(" ".join(text.split()))


def recites(sentence: str, instructions: str, known: Iterable[str] = ()) -> bool:
    """Whether the sentence repeats a long run of the instructions that nothing has which may be said."""
    said, told = _spoken(sentence), _spoken(instructions)
    read = " ".join(map(_spoken, known))
    return any(run in told and run not in read for run in _runs(said))


def _runs(said: str) -> Iterable[str]:
    for at in range(len(said) - RECITED_CHARS + 1):
        run = said[at : at + RECITED_CHARS]
        yield said[at : at + RECITED_LATIN_CHARS].ljust(RECITED_LATIN_CHARS) if run.isascii() else run


def _spoken(text: str) -> str:
    return _UNSPOKEN.sub("", unicodedata.normalize("NFKC", text)).casefold()
