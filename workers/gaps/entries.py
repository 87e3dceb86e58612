"""What an administrator writes about a gap, from the terminal or a dialog, as an entry of the documents."""

from __future__ import annotations

import re
from collections.abc import Collection

from bot.errors import MadoguchiError
from bot.sanitise import visible
from knowledge.documents import MAX_PREFIX_CHARS
from knowledge.faq import FaqEntry

MAX_ANSWER_CHARS = 10_000
MOST_LABELS = 5
_LABEL = re.compile(r"[a-z]{1,20}(:[A-Za-z0-9_-]{1,64})?")


class GapRefused(MadoguchiError):
    """What was given is no answer to a gap; nothing has changed."""


def entry(name: str, question: str, answer: str, audience: frozenset[str]) -> FaqEntry:
    """The entry of this name.

    Raises:
        GapRefused: says what is wrong with it.
    """
    return FaqEntry(name=name, question=_question(question), answer=_answer(answer), audience=audience)


def labels(given: Collection[str]) -> frozenset[str]:
    """The audience that these labels are.

    Raises:
        GapRefused: they are none.
    """
    if len(frozenset(given)) > MOST_LABELS or not all(map(_LABEL.fullmatch, given)):
        raise GapRefused("an audience is public, members, or places and people by name (slack:C1, line:U1)")
    return frozenset(given)


def _question(given: str) -> str:
    """The question as the document's heading: one line that can stand in front of every piece of the answer."""
    question = " ".join(_text(given).split()).lstrip("# ")
    if not question:
        raise GapRefused("the question is empty")
    if len(question) > MAX_PREFIX_CHARS:
        raise GapRefused(f"the question is longer than {MAX_PREFIX_CHARS} characters")
    return question


def _answer(given: str) -> str:
    answer = _text(given).strip()
    if not answer:
        raise GapRefused("the answer is empty")
    if len(answer) > MAX_ANSWER_CHARS:
        raise GapRefused(f"the answer is longer than {MAX_ANSWER_CHARS} characters; put a document into the sources")
    return answer


def _text(given: str) -> str:
    """What was given, without what cannot be seen."""
    try:
        given.encode()  # bytes on the command line that are no text came in as surrogates
    except UnicodeEncodeError as error:
        raise GapRefused("that is no text") from error
    return visible(given)
