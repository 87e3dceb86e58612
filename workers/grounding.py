"""Grounding: which passage a sentence stands on, checked by its figures and its content words.

A small model talks fluently and wrongly, and asked to cite it forgets to answer; so the code finds the sources. A
sentence whose figures are in no passage, or whose content words mostly are in none, is not shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from bot.words import language
from knowledge.documents import Passage
from workers.sentences import sentences

MIN_COVERAGE = 0.5
"""The share of a sentence's content that its passage must hold (chosen on tests/samples/questions.json)."""

SAID_ALREADY = 0.75
"""The share of a sentence's content from which on an answer says the same."""

_ITEM = re.compile(r"^\s*\d{1,3}[.)](?=\s+\S)", re.MULTILINE)
_NAME = re.compile(r"[\u3400-\u9fff]{4,}|(?=[a-z0-9-]*[a-z])(?=[a-z0-9-]*\d)[a-z0-9]+(?:-[a-z0-9]+)+")
MIN_HELD = 0.4
"""A question may name something that no passage has, if they hold at least this share of the rest of it."""
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_WORD = re.compile(r"[a-z][a-z0-9'-]+|[\u30a1-\u30ff]{2,}|[\u3400-\u9fff]+")
_COMMON = frozenset(
    (
        *("the", "and", "you", "your", "for", "are", "can", "may", "must", "will", "with", "within", "from", "that"),
        *(
            "this",
            "not",
            "have",
            "has",
            "been",
            "into",
            "per",
            "each",
            "any",
            "all",
            "its",
            "please",
            "should",
            "could",
        ),
        *("would", "they", "them", "their", "there", "when", "where", "what", "which", "who", "how", "by", "at", "on"),
        *("in", "of", "to", "is", "it", "be", "as", "or", "an", "up", "if", "do"),
    )
)
_REFUSALS = (
    "見つかりません",
    "見当たりません",
    "記載(?:が|は|されて)?(?:ありません|ございません|いません)",
    "書かれていません",
    "[分わ]かりません",
    "情報[がは](?:ありません|ございません)",
    "not found",
    "no information",
    "(?:not|n't) (?:mention|specif|provid|contain|hold|includ|state)",
)
_NOT_FOUND = re.compile("|".join(_REFUSALS), re.IGNORECASE)


def refuses(sentence: str) -> bool:
    """Whether the sentence says that the material does not hold the answer."""
    return bool(_NOT_FOUND.search(unicodedata.normalize("NFKC", sentence)))


def support(sentence: str, passages: Sequence[Passage], question: str = "") -> Passage | None:
    """The passage that the sentence stands on, or None when it stands on none.

    Figures must be in the passage (or in the question, whose words an answer repeats). Across languages words cannot be
    compared: then the figures decide, and the best passage is the one.
    """
    if " > " in sentence:  # the line above a passage, copied
        return None
    words = _unnumbered(sentence)
    scored = [(_coverage(words, passage, question), -at) for at, passage in enumerate(passages)]
    if not scored:
        return None
    coverage, at = max(scored)
    return passages[-at] if coverage >= MIN_COVERAGE else None


def extract(question: str, passage: Passage, most_chars: int = 160) -> str:
    """The passage's own words that come nearest to the question: whole sentences, one at least."""
    parts = [part for part in sentences([passage.chunk.text]) if part.strip()]
    contents = set(_contents(_plain(question)))
    shared = [sum(len(word) for word in contents if word in _plain(part)) for part in parts]
    first = shared.index(max(shared))
    chosen = parts[first]
    for part in parts[first + 1 :]:
        if len(chosen) + len(part) > most_chars:
            break
        chosen += part
    return chosen.strip()


def evidence(said: str, question: str, passage: Passage, most_chars: int = 200) -> str:
    """The passage's own sentence that bears what was said; empty where it would only be said twice, or is too long.

    With it a reader sees at once whether the answer is right, and has names and figures as they are written. Across
    languages there is none: the link is enough.
    """
    said = _unnumbered(said)
    told, asked = set(_contents(_plain(said))), set(_contents(_plain(question)))
    parts = [part.strip() for part in sentences([passage.chunk.text]) if part.strip()]
    if not parts or language(said) != language(passage.chunk.text):
        return ""
    figures = set(_numbers(_plain(said))) - set(_numbers(_plain(question)))

    def bears(part: str) -> int:
        has = figures & set(_numbers(_plain(part)))
        return 2 * (_shared(told - asked, part) + sum(map(len, has))) + _shared(told | asked, part)

    best = max(parts, key=bears)
    contents = set(_contents(_plain(best)))
    said_already = _shared(contents, said) >= SAID_ALREADY * sum(map(len, contents))
    return "" if said_already or len(best) > most_chars else _without_marks(best)


def _without_marks(part: str) -> str:
    """A sentence, a list's item or a table's row without what makes it one."""
    if part.startswith("|"):
        return " / ".join(cell.strip() for cell in part.strip("|").split("|") if cell.strip())
    return part.lstrip("-*#> ")


def holds(question: str, passage: Passage) -> bool:
    """Whether the passage has at least half of the question's content; across languages it cannot be told: no."""
    if language(question) != language(passage.chunk.text):
        return False
    held, contents = _held(passage), _contents(_plain(question))
    return _shared(contents, held) >= 0.5 * sum(map(len, contents))


def _shared(words: Iterable[str], text: str) -> int:
    """How many letters of these words are in the text."""
    plain = _plain(text)
    return sum(len(word) for word in words if word in plain)


def sources(passages: Iterable[Passage]) -> list[str]:
    """What the passages say and where they stand: the addresses in it may leave with an answer from them."""
    return [f"{passage.chunk.uri}\n{passage.chunk.text}" for passage in passages]


def is_about(question: str, passages: Sequence[Passage]) -> bool:
    """Whether the passages can be about what the question names.

    They are not when it names a thing (a compound of four kanji or more) that none of them has and they hold little
    else of it, or a code (`E-403`) that none of them has. Near-domain questions come past a floor on similarity; this
    is what tells 「社員食堂のメニューは？」 from a question about the rules for eating in meeting rooms.
    """
    asked = _plain(question)
    held = " ".join(_held(passage) for passage in passages)
    missing = [name for name in _NAME.findall(asked) if name not in held]
    if any(name.isascii() for name in missing):
        return False
    if not missing or language(question) != language(held):
        return True
    contents = _contents(asked)
    return sum(len(w) for w in contents if w in held) >= MIN_HELD * sum(len(w) for w in contents)


def _unnumbered(said: str) -> str:
    """Without the numbers of a list's items, which are no figures of a document."""
    return _ITEM.sub("", said)


def _coverage(sentence: str, passage: Passage, question: str) -> float:
    """The share of what the sentence adds to the question that the passage holds.

    0 when a figure is neither there nor asked, and when the sentence adds nothing.
    """
    said, asked = _plain(sentence), _plain(question)
    held = _held(passage)
    numbers = set(_numbers(said))
    if not numbers <= set(_numbers(held)) | set(_numbers(asked)):
        return 0.0
    words = [w for w in _contents(said) if w not in asked]
    if not words and numbers <= set(_numbers(asked)):  # it only says the question again, with a yes in front
        return 0.0
    if not words or language(sentence) != language(passage.chunk.text):
        return 1.0
    return sum(len(w) for w in words if w in held) / sum(len(w) for w in words)


def _held(passage: Passage) -> str:
    """All that the passage says, with the headings above it."""
    return _plain(" ".join((passage.chunk.title, *passage.chunk.heading_path, passage.chunk.text)))


def _contents(text: str) -> list[str]:
    """Content words: Latin and katakana words whole, kanji runs in pairs."""
    found = []
    for word in _WORD.findall(text):
        if "\u3400" <= word[0] <= "\u9fff" and len(word) > 2:
            found += [word[at : at + 2] for at in range(len(word) - 1)]
        elif word not in _COMMON:
            found.append(word)
    return found


def _numbers(text: str) -> list[str]:
    return [number.replace(",", "") for number in _NUMBER.findall(text)]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
