"""`madoguchi gaps`: what was asked and not answered, to be answered once for all who asked, or dropped.

It looks into the store, beside the service; the knowledge process brings an answer into the index, and the clerk tells.
"""

from __future__ import annotations

import argparse
import sys
import time
import uuid
from typing import TextIO

from bot.settings import BotSettings
from bot.store import connect
from workers.gaps.entries import MAX_ANSWER_CHARS, GapRefused, entry, labels
from workers.gaps.gap import Topic
from workers.gaps.gaps import Gaps
from workers.gaps.texts import listing
from workers.settings import STORE_TIMEOUT_S
from workers.terminal import print_line


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
    name = f"{time.strftime('%Y-%m-%d')}-{uuid.uuid4().hex[:12]}"
    written = _read(sys.stdin) if chosen.answer is None else chosen.answer
    given = entry(name, chosen.question, written, labels(chosen.audience or ()) or topic.audience)
    if not gaps.answer(topic.number, given):
        raise GapRefused(f"gap {topic.number} has an answer already, which is on its way into the index")
    print(f"answered for {', '.join(sorted(given.audience))}; {topic.people} people are told when the index has it")
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


def _read(stdin: TextIO) -> str:
    try:
        return stdin.read(MAX_ANSWER_CHARS + 1)
    except UnicodeDecodeError as error:
        raise GapRefused("the answer is no text") from error
