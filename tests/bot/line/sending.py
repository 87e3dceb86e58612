"""What the tests of LINE's way out share: a journal that outlives its worker, workers that die, long answers."""

from __future__ import annotations

from typing import Any

import redis

from bot.errors import LockLost
from bot.line.kept import KeptAnswer
from bot.line.phrases import phrases
from bot.line.reply import Push
from bot.line.sender import LineSender
from bot.messages import Citation, Reply
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER

CONVERSATION = f"line:{USER}"
ANSWER = Reply("締め日は**毎月20日**です。", (Citation(1, "経費規程", "https://example.jp/keihi", "", "毎月20日"),))
SHOWN = "締め日は毎月20日です。\n\n出典: 経費規程 https://example.jp/keihi"
JA = phrases("ja")
LATE, UNSURE = JA.introductions["late"], JA.introductions["unsure"]


class MemoryJournal:
    """A journal that outlives the worker, with a lock that can be lost."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.lost = False

    def read(self) -> dict[str, Any]:
        return dict(self.facts)

    def write(self, **facts: Any) -> None:
        self.check()
        self.facts.update(facts)

    def check(self) -> None:
        if self.lost:
            raise LockLost("another worker owns the conversation")


class Killed(BaseException):
    """The worker died here."""


class DiesAt(MemoryJournal):
    """A journal whose worker dies before a fact gets written."""

    def __init__(self, fact: str, value: object) -> None:
        super().__init__()
        self.last_words = (fact, value)

    def write(self, **facts: Any) -> None:
        if self.last_words in facts.items():
            self.last_words = ("", None)
            raise Killed
        super().write(**facts)


def make_sender(line: FakeLine, store: redis.Redis, push: Push) -> LineSender:
    return LineSender(line.url, line.access_token, store, push=push, access="pairing", timeout_s=0.3)


def kept(store: redis.Redis, conversation_id: str = CONVERSATION) -> list[KeptAnswer]:
    return [KeptAnswer.from_json(text) for text in store.lrange(f"kept:{conversation_id}", 0, -1)]


def long_answer(parts: int) -> Reply:
    """An answer that takes so many messages."""
    return Reply("あ" * 4_800 + ("。" + "い" * 4_800) * (parts - 1))
