"""`madoguchi gaps`: what was asked and not answered, to be answered once for all who asked, or dropped.

It looks into the store, beside the service; the knowledge process brings an answer into the index, and the clerk tells.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import uuid
from typing import TextIO

from bot.errors import MadoguchiError
from bot.sanitise import visible
from bot.settings import BotSettings
from bot.store import connect
from knowledge.documents import MAX_PREFIX_CHARS
from knowledge.faq import FaqEntry
from workers.gaps.gap import Topic
from workers.gaps.gaps import Gaps
from workers.gaps.texts import listing
from workers.settings import STORE_TIMEOUT_S
from workers.terminal import print_line

MAX_ANSWER_CHARS = 10_000
MOST_LABELS = 5
_LABEL = re.compile(r"[a-z]{1,20}(:[A-Za-z0-9_-]{1,64})?")


class GapRefused(MadoguchiError):
    """What the operator gave is no answer to a gap; nothing has changed."""


def show(_: argparse.Namespace) -> int:
    """List the gaps by topic."""
    gaps = _gaps()
    for line in listing(gaps.topics(), gaps.unsorted(), "en"):
        print_line(line)
    return 0


def answer(chosen: argparse.Namespace) -> int:
    """Answer a topic; whoever asked is told as soon as the index has it."""
    gaps = _gaps()
    topic = _topic(gaps, chosen.number)
    entry = FaqEntry(
        name=f"{time.strftime('%Y-%m-%d')}-{uuid.uuid4().hex[:12]}",
        question=_question(chosen.question),
        answer=_answer(chosen.answer, sys.stdin),
        audience=_audience(chosen.audience) or topic.audience,
    )
    if not gaps.answer(topic.number, entry):
        raise GapRefused(f"gap {topic.number} has an answer already, which is on its way into the index")
    print(f"answered for {', '.join(sorted(entry.audience))}; {topic.people} people are told when the index has it")
    return 0


def drop(chosen: argparse.Namespace) -> int:
    """Drop a topic for good; an answer that it has is published all the same."""
    gaps = _gaps()
    print(f"{gaps.drop(_topic(gaps, chosen.number).gaps)} questions dropped")
    return 0


def _gaps() -> Gaps:
    return Gaps(connect(BotSettings().store_url, timeout_s=STORE_TIMEOUT_S))


def _topic(gaps: Gaps, number: int) -> Topic:
    topic = gaps.topic(number)
    if topic is None:
        raise GapRefused(f"there is no gap {number}")
    return topic


def _question(given: str) -> str:
    """The question as the document's heading: one line that can stand in front of every piece of the answer."""
    question = " ".join(_text(given).split()).lstrip("# ")
    if not question:
        raise GapRefused("the question is empty")
    if len(question) > MAX_PREFIX_CHARS:
        raise GapRefused(f"the question is longer than {MAX_PREFIX_CHARS} characters")
    return question


def _answer(given: str | None, stdin: TextIO) -> str:
    """The answer as given, or as it comes in."""
    answer = _text(_read(stdin) if given is None else given).strip()
    if not answer:
        raise GapRefused("the answer is empty")
    if len(answer) > MAX_ANSWER_CHARS:
        raise GapRefused(f"the answer is longer than {MAX_ANSWER_CHARS} characters; put a document into the sources")
    return answer


def _read(stdin: TextIO) -> str:
    try:
        return stdin.read(MAX_ANSWER_CHARS + 1)
    except UnicodeDecodeError as error:
        raise GapRefused("the answer is no text") from error


def _text(given: str) -> str:
    """What was given, without what cannot be seen."""
    try:
        given.encode()  # bytes on the command line that are no text came in as surrogates
    except UnicodeEncodeError as error:
        raise GapRefused("that is no text") from error
    return visible(given)


def _audience(given: list[str] | None) -> frozenset[str]:
    """The labels that were given, if any were."""
    labels = frozenset(given or ())
    if len(labels) > MOST_LABELS or not all(map(_LABEL.fullmatch, labels)):
        raise GapRefused("an audience is public, members, or places and people by name (slack:C1, line:U1)")
    return labels
