"""People who ask what the documents do not hold, on every platform, and the operator who answers them once."""

from __future__ import annotations

import time

import redis

from bot.line.events import translate
from bot.messages import Message
from knowledge.faq import FaqEntry
from knowledge.reindexing import reindex
from knowledge.settings import KnowledgeSettings
from tests.fakes import line_events
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_events import TEAM
from tests.knowledge.conftest import HashedEmbedder
from tests.workers.making import accept
from workers.gaps.answers import Publishing
from workers.gaps.gaps import Gaps
from workers.gaps.topics import Sorting
from workers.runs import Runs
from workers.services import Desk
from workers.serving import answer_next

VAIN = "社員食堂のからあげ定食は何円ですか？"
"""No document of the tests has anything of it."""
ENTRY = FaqEntry(
    "2026-01-31-abc",
    "社員食堂のからあげ定食の値段は？",
    "社員食堂のからあげ定食は六百五十円です。",
    frozenset({"members"}),
)


def ask(store: redis.Redis, desk: Desk, said: Message) -> Message:
    """Have it answered."""
    accept(store, said)
    answer_next(said.conversation_id, desk)
    return said


def in_a_dm(slack: FakeSlack, text: str = VAIN, user: str = "U1") -> Message:
    """A message to the bot alone."""
    said = slack.workspace.say("D1", text, user=user)
    where = {"team": TEAM, "channel": "D1", "channel_type": "im", "ext_shared": False, "user": user}
    return Message(
        id=f"slack:{TEAM}:D1:{said['ts']}",
        platform="slack",
        conversation_id=f"slack:{TEAM}:D1",
        user_id=f"slack:{user}",
        text=text,
        sent_at=float(said["ts"]),
        reply_to={**where, "thread_ts": said["ts"], "ts": said["ts"]},
    )


def on_line(line: FakeLine, text: str = VAIN) -> Message:
    """A message in a chat of two, with a living token."""
    said = line_events.text(text, reply_token=line.issue_token(line_events.USER))
    message = translate(said, time.time())
    assert isinstance(message, Message)
    return message


def sort(store: redis.Redis) -> None:
    """What the knowledge process does with gaps; equal questions are near enough for the tests' own embedder."""
    Sorting(Gaps(store), HashedEmbedder).sort()


def the_only_number(store: redis.Redis) -> int:
    """The number of the only topic."""
    (topic,) = Gaps(store).topics()
    return topic.number


def answer_the_gap(store: redis.Redis, entry: FaqEntry = ENTRY) -> int:
    """Sort, and answer the only topic; its number."""
    sort(store)
    number = the_only_number(store)
    assert Gaps(store).answer(number, entry)
    return number


def bring_into_the_index(store: redis.Redis, settings: KnowledgeSettings) -> None:
    """What the knowledge process does until the answer is there."""
    publishing, runs = Publishing(store, settings), Runs(store)
    publishing.publish()
    wish = runs.take()
    assert wish is not None
    reindex(settings, embedder=HashedEmbedder())
    runs.end(wish.run, {"state": "done"})
    publishing.publish()
