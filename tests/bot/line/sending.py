"""What the tests of LINE's way out share: a journal that outlives its worker, workers that die, long answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import redis

from bot.access import Access, Mode
from bot.capabilities import Outcome
from bot.errors import LockLost
from bot.line.content import LineFiles
from bot.line.events import translate
from bot.line.kept import KeptAnswer
from bot.line.phrases import phrases
from bot.line.quota import Never, Pushing
from bot.line.sender import LineSender, line_api
from bot.messages import Citation, Command, Reply
from tests.fakes import line_events
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER

CONVERSATION = f"line:{USER}"
ANSWER = Reply("締め日は**毎月20日**です。", (Citation(1, "経費規程", "https://example.jp/keihi", "", "毎月20日"),))
SHOWN = "締め日は毎月20日です。\n\n出典\n経費規程 https://example.jp/keihi\n👍 役に立った\n👎 役に立たなかった"
JA = phrases("ja")
NEVER = Never()
EVERYBODY = frozenset(f"line:{who}" for who in (USER, line_events.OTHER_USER, line_events.GROUP, line_events.ROOM))
MY_CHAT = line_events.user()
LATE, UNSURE = JA.introductions["late"], JA.introductions["unsure"]


def press(
    sender: LineSender,
    line: FakeLine,
    token: str | None = None,
    *,
    asked_for: Outcome = "shown",
    source: Mapping[str, str] = MY_CHAT,
) -> None:
    """Press the chat's last button: the postback comes in and is carried out."""
    chat = source.get("groupId") or source["userId"]
    event = line_events.postback(line.buttons(chat)[-1], source, reply_token=token or line.issue_token(chat))
    command = translate(event, time.time())
    assert isinstance(command, Command)
    sender.collect(command.reply_to, command.conversation_id, command.language, asked_for=asked_for)


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


def make_sender(
    line: FakeLine,
    store: redis.Redis,
    pushing: Pushing = NEVER,
    *,
    access: Mode | Access = "pairing",
    timeout_s: float = 0.3,
    url: str = "",
    token: str = "",
) -> LineSender:
    """A sender to the fake, or to another address, with the fake's token or another one.

    Without an `Access` of its own everybody whom the tests know is let in.
    """
    where = (url or line.url, token or line.access_token)
    api, files = line_api(*where, timeout_s=timeout_s), LineFiles(*where, timeout_s=timeout_s)
    allowed = access if isinstance(access, Access) else Access(store, access, frozenset(), EVERYBODY)
    return LineSender(api, store, pushing=pushing, files=files, access=allowed)


def kept(store: redis.Redis, conversation_id: str = CONVERSATION) -> list[KeptAnswer]:
    return [KeptAnswer.from_json(text) for text in store.lrange(f"kept:{conversation_id}", 0, -1)]


def long_answer(parts: int) -> Reply:
    """An answer that takes so many messages."""
    return Reply("あ" * 4_800 + ("。" + "い" * 4_800) * (parts - 1))
