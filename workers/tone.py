"""Tone: how an answer sounds, sentence by sentence: です・ます by default, or a persona's ending on every sentence.

What the model says is held against the documents as it said it; this comes after. It changes the end of a sentence and
nothing else: no quotation, no line of a list, no table, no code, no address, no figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workers.language import spoken
from workers.politeness import is_polite, polite

_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
_LISTED = re.compile(r"\s{0,9}(?:[-*+>#|]|#{1,6}|[・●○■▪•※]|[①-⑳]|\d{1,3}[.)、．]\s|[（(]\d{1,3}[)）])")
_AFTER = " \t\r\n\u3000。．！!？?…"
_STOPS = "。！？!?"
_OPENING, _CLOSING, _EITHER = "「『“（(【《〈", "」』”）)】》〉", '`"'
_PAIRS = dict(zip(_OPENING + _EITHER, _CLOSING + _EITHER, strict=True))
_GOES_ON = re.compile(r"(?:[a-z]{2,15}://[!-~]*|[\w.+-]{1,64}@[\w.-]+|[:：]|[A-Za-z0-9)\]]\.)\Z")
"""An address, the words before a list, and a full stop that may be an abbreviation's (Ver. 2)."""
_COPULA = ("です", "でご", "でござ", "だ", "なの", "なん", "じゃ")
_INTERJECTIONS = frozenset({"はい", "いいえ", "ええ", "こんにちは", "こんばんは", "どうも"})
_PARTICLES = re.compile(r"(?<=す|た|ん|い)(?:よね|ね|よ|わ|の)\Z")
_VERBAL = re.compile(r"(?:ます|ました|ません|でした|[ぁ-ん]た|[ぁ-ん]だ|[うくぐすつぬぶむる])\Z")
_WRITTEN_OUT = re.compile(r"[ぁ-ん]\Z")
_LONGEST_END = 40
"""An ending is 20 letters at most; no more of a sentence has to be looked at."""


@dataclass(frozen=True, slots=True)
class Tone:
    """How Japanese sentences end.

    Args:
        ending: what every sentence ends in (「ですわよ」); empty: です・ます.
    """

    ending: str = ""

    def of(self, text: str) -> str:
        """The text in this tone; a longer text that begins with whole sentences of it begins with the same."""
        return "".join(self._sentence(part) if may_change else part for part, may_change in _parts(text))

    def _sentence(self, sentence: str) -> str:
        body = sentence.rstrip(_AFTER)
        after = sentence[len(body) :]
        if not body.strip() or "？" in after or "?" in after or _GOES_ON.search(body[-_LONGEST_END:]):
            return sentence
        if spoken(body) not in {"ja", ""} or _is_quotation(body.strip()) or body.strip() in _INTERJECTIONS:
            return sentence
        return (_in_character(polite(body), self.ending) if self.ending else polite(body)) + after


def _in_character(body: str, ending: str) -> str:
    """The sentence with the ending, joined to it as Japanese grammar does: 25日ですわよ, 申請しますのですわよ."""
    if body.endswith((ending, "か")):
        return body
    particle = ending.removeprefix("です")
    if particle != ending and particle and body.endswith(particle):  # a model that heard it before says half of it
        body = body.removesuffix(particle)
    body = body[:-_LONGEST_END] + _PARTICLES.sub("", body[-_LONGEST_END:])
    if not ending.startswith(_COPULA):
        is_noun = not is_polite(body) and not _WRITTEN_OUT.search(body)
        return f"{body}です{ending}" if is_noun else body + ending
    if body.endswith("です"):
        body = body.removesuffix("です")
    elif _VERBAL.search(body):
        return f"{body}の{ending}"
    return f"{body}の{ending}" if body.endswith("い") and not ending.startswith("です") else body + ending


def _is_quotation(body: str) -> bool:
    """Whether all of it stands in one pair of quotation marks."""
    return body[0] in _PAIRS and body.find(_PAIRS[body[0]], 1) == len(body) - 1


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, and of each whether it is a sentence of the writer's own, to its end."""
    in_code, within = False, _Within()
    for line in text.splitlines(keepends=True):
        if _FENCE.match(line):
            in_code = not in_code
            yield line, False
        elif in_code or (_LISTED.match(line) and not within.something):
            yield line, False
        else:
            yield from _sentences(line, within)


def _sentences(line: str, within: _Within) -> Iterator[tuple[str, bool]]:
    """The line's sentences; one that begins or ends within a quotation is not the writer's own."""
    start, own = 0, not within.something
    for at, letter in enumerate(line):
        within.read(letter)
        if letter in _STOPS and not within.something and _ends_at(line, at):
            yield line[start : at + 1], own
            start, own = at + 1, True
    if start < len(line):
        yield line[start:], own and not within.something


def _ends_at(line: str, at: int) -> bool:
    """Whether the stop at this place ends a sentence: it is the last of several, and not in an address."""
    following = line[at + 1 : at + 2]
    return following not in _STOPS or not following if line[at] in "。！？" else not ("!" <= following <= "~")


class _Within:
    """What a reader is in the middle of, letter by letter: quotations, parentheses, code."""

    def __init__(self) -> None:
        self._depth = 0
        self._marks: set[str] = set()

    @property
    def something(self) -> bool:
        """Whether anything is open."""
        return self._depth > 0 or bool(self._marks)

    def read(self, letter: str) -> None:
        """Go on by one letter."""
        if letter in _OPENING:
            self._depth += 1
        elif letter in _CLOSING:
            self._depth = max(self._depth - 1, 0)
        elif letter in _EITHER:
            self._marks ^= {letter}
