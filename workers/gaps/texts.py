"""The list of gaps as an operator reads it, in Japanese and English. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from workers.gaps.gap import Topic
from workers.phrases import phrase

MOST_WORDINGS = 3
WORDING_CHARS = 200


def listing(topics: Sequence[Topic], unsorted: int, language: str, *, most: int | None = None) -> list[str]:
    """What was asked and not answered, topic by topic; never by whom."""
    if not topics and not unsorted:
        return [phrase("gaps_none", language)]
    lines = [line for topic in topics[:most] for line in _topic_lines(topic, language)]
    more = len(topics) - most if most is not None else 0
    if more > 0:
        lines.append(phrase("gaps_more", language, count=more))
    if unsorted:
        lines.append(phrase("gaps_unsorted", language, count=unsorted))
    return lines


def head(topic: Topic, language: str) -> str:
    """How often it was asked, by how many and when, in one line that begins with its number."""
    last = time.strftime("%Y-%m-%d %H:%M", time.localtime(topic.gaps[0].at))
    facts = {"number": topic.number, "times": len(topic.gaps), "people": topic.people, "last": last}
    who = phrase(f"gap_for_{next(iter(topic.audience))}", language)
    return phrase("gap_answered" if topic.is_answered else "gap", language, **facts, who=who)


def _topic_lines(topic: Topic, language: str) -> Iterator[str]:
    yield head(topic, language)
    for question in topic.questions[:MOST_WORDINGS]:
        yield f"    {question[:WORDING_CHARS]}{'…' if len(question) > WORDING_CHARS else ''}"
    if (more := len(topic.questions) - MOST_WORDINGS) > 0:
        yield f"    {phrase('gaps_more', language, count=more)}"
