"""The gaps in the store: questions that the documents did not answer, until somebody answers or drops them.

A gap is what a person said, so it goes with everything else of theirs: `workers/lua/erase.lua` has it too.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import redis

from bot.messages import UnreadableRecord
from bot.store import script, store_errors, text
from knowledge.faq import FaqEntry
from workers.gaps.gap import GAPS, Gap, Topic, gap_keys

log = logging.getLogger(__name__)

MOST = 500
SINCE, TOPICS, LAST_TOPIC = "gaps:since", "gaps:topics", "gaps:last_topic"
ANSWERS, WRITTEN, INDEXED = "gaps:answers", "gaps:written", "gaps:indexed"
TOLD_S = 60 * 24 * 3600
"""Longer than anything waits for its reader (bot.line.kept.KEPT_S)."""


class Gaps:
    """The gaps in the store. Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._note = script(store, "workers", "note_gap")
        self._drop = script(store, "workers", "drop_gap")

    def note(self, gap: Gap) -> bool:
        """Note a gap; False when its message was erased, or never answered. The same gap again is the same gap."""
        with store_errors():
            return bool(self._note(keys=gap_keys(gap.conversation_id), args=[gap.id, gap.at, gap.to_json()]))

    def all(self) -> list[Gap]:
        """Every gap, the newest first."""
        with store_errors():
            stored = self._store.hvals(GAPS)
        return sorted((gap for one in stored for gap in _readable(one)), key=lambda gap: gap.at, reverse=True)

    def numbers(self) -> dict[str, int]:
        """By the id of every gap that was sorted the number of its topic."""
        with store_errors():
            return {text(gap_id): int(number) for gap_id, number in self._store.hgetall(TOPICS).items()}

    def topics(self) -> list[Topic]:
        """The gaps by topic: what was asked most first, of those what was asked last."""
        numbers, answered = self.numbers(), self.answers()
        sorted_ones = sorted((gap for gap in self.all() if gap.id in numbers), key=lambda gap: numbers[gap.id])
        found = groupby(sorted_ones, key=lambda gap: numbers[gap.id])
        topics = [Topic(number, tuple(gaps), number in answered) for number, gaps in found]
        return sorted(topics, key=lambda topic: (len(topic.gaps), topic.gaps[0].at), reverse=True)

    def topic(self, number: int) -> Topic | None:
        """The topic of this number; None when there is none (any more)."""
        return next((topic for topic in self.topics() if topic.number == number), None)

    def unsorted(self) -> int:
        """How many gaps are in no topic yet."""
        numbers = self.numbers()
        return sum(gap.id not in numbers for gap in self.all())

    def new_topic(self) -> int:
        """A number that no topic had before."""
        with store_errors():
            return int(self._store.incr(LAST_TOPIC))

    def put(self, gap_id: str, number: int) -> None:
        """Sort a gap into a topic."""
        with store_errors():
            self._store.hset(TOPICS, gap_id, str(number))

    def forget_topics_of(self, gap_ids: Sequence[str]) -> None:
        """Have these gaps, which may be gone, in no topic."""
        with store_errors():
            if gap_ids:
                self._store.hdel(TOPICS, *gap_ids)

    def answer(self, number: int, entry: FaqEntry) -> bool:
        """Have a topic answered by this entry; False when it has an answer already."""
        with store_errors():
            return bool(self._store.hsetnx(ANSWERS, str(number), _stored(entry)))

    def answers(self) -> dict[int, FaqEntry]:
        """By the number of their topic the entries of which not every asker was told."""
        with store_errors():
            stored = {int(number): json.loads(entry) for number, entry in self._store.hgetall(ANSWERS).items()}
        return {n: FaqEntry(**{**entry, "audience": frozenset(entry["audience"])}) for n, entry in stored.items()}

    def correct(self, number: int, entry: FaqEntry) -> None:
        """Have a topic's answer be this one: its file stands elsewhere."""
        with store_errors():
            self._store.hset(ANSWERS, str(number), _stored(entry))

    def mark_written(self, number: int) -> None:
        """Note that the topic's answer has its file: from then on the file says whether there is an answer."""
        with store_errors():
            self._store.sadd(WRITTEN, str(number))

    def is_written(self, number: int) -> bool:
        """Whether the topic's answer has had its file."""
        with store_errors():
            return bool(self._store.sismember(WRITTEN, str(number)))

    def mark_indexed(self, number: int, chunk_ids: Collection[str]) -> None:
        """Note in which chunks the index has the topic's answer: its askers may be told; with none they may not."""
        with store_errors():
            if chunk_ids:
                self._store.hset(INDEXED, str(number), json.dumps(sorted(chunk_ids)))
            else:
                self._store.hdel(INDEXED, str(number))

    def indexed(self) -> dict[int, frozenset[str]]:
        """The topics whose answer the index has, and in which chunks."""
        with store_errors():
            stored = self._store.hgetall(INDEXED)
        return {int(number): frozenset(json.loads(chunks)) for number, chunks in stored.items()}

    def note_told(self, told_id: str, chunk_ids: Collection[str]) -> None:
        """Note in which chunks stands what is told under this id, for as long as it may wait for its reader."""
        with store_errors():
            self._store.set(f"told:{told_id}", json.dumps(sorted(chunk_ids)), ex=TOLD_S)

    def told_from(self, told_id: str) -> frozenset[str]:
        """The chunks that were noted for what was told under this id; none for anything else."""
        with store_errors():
            stored = self._store.get(f"told:{told_id}")
        return frozenset(json.loads(stored)) if stored else frozenset()

    def close(self, number: int) -> None:
        """Be done with a topic's answer: all who asked were told, or it was taken back."""
        with store_errors(), self._store.pipeline(transaction=True) as together:
            together.hdel(ANSWERS, str(number))
            together.srem(WRITTEN, str(number))
            together.hdel(INDEXED, str(number))
            together.execute()

    def has(self, gap_id: str) -> bool:
        """Whether the gap is still there."""
        with store_errors():
            return bool(self._store.hexists(GAPS, gap_id))

    def forget(self, conversation_id: str, gap_id: str) -> None:
        """Drop the gap that a question of this conversation was, if it was one: it is asked anew."""
        with store_errors():
            self._drop(keys=gap_keys(conversation_id), args=[gap_id])

    def drop(self, gaps: Sequence[Gap]) -> int:
        """Drop gaps, with what was written down about telling their askers; how many went."""
        with store_errors():
            return sum(int(self._drop(keys=gap_keys(gap.conversation_id), args=[gap.id])) for gap in gaps)

    def drop_oldest(self, before: float, most: int = MOST) -> int:
        """Drop what was asked before a time, and what is beyond `most`; how many went."""
        with store_errors():
            outlived = self._store.zcount(SINCE, "-inf", before)
            beyond = self._store.zcard(SINCE) - most
        if not outlived and beyond <= 0:
            return 0
        gaps = self.all()
        old = [gap for gap in gaps if gap.at <= before]
        return self.drop(old + _crowding([gap for gap in gaps if gap.at > before], most))

    def reword(self, conversation_id: str, message_id: str, words: str) -> None:
        """Replace the words of one message in the gaps of a conversation; what is worded anew is sorted anew."""

        def replace(pipeline: redis.client.Pipeline) -> None:
            named: list[Any] = pipeline.zrange(f"gaps_in:{conversation_id}", 0, -1)
            ids = list(map(text, named))
            stored = [one for one in pipeline.hmget(GAPS, ids) if one] if ids else []
            pipeline.multi()
            for gap in (gap for one in stored for gap in _readable(one) if message_id in gap.message_ids):
                pipeline.hset(GAPS, gap.id, gap.reworded(message_id, words).to_json())
                pipeline.hdel(TOPICS, gap.id)

        with store_errors():
            self._store.transaction(replace, GAPS, f"gaps_in:{conversation_id}")


def _crowding(gaps: Sequence[Gap], most: int) -> list[Gap]:
    """What goes so that `most` are left: each time the oldest of the conversation that has most of them.

    So nobody who asks without end, where anybody may ask, drives out what others asked.
    """
    left = list(gaps)
    gone = []
    while len(left) > most:
        (fullest, _), *_ = Counter(gap.conversation_id for gap in left).most_common(1)
        oldest = next(gap for gap in reversed(left) if gap.conversation_id == fullest)
        left.remove(oldest)
        gone.append(oldest)
    return gone


def _stored(entry: FaqEntry) -> str:
    return json.dumps({**asdict(entry), "audience": sorted(entry.audience)}, ensure_ascii=False)


def _readable(stored: str | bytes) -> list[Gap]:
    try:
        return [Gap.from_json(stored)]
    except UnreadableRecord:
        log.warning("gap unreadable")
        return []
