"""The list of gaps in Slack: to an administrator, in their own conversation with the bot."""

from __future__ import annotations

import pytest
import redis

from bot.access import Access
from bot.messages import Command
from bot.words import said_to_administer
from tests.fakes.slack import FakeSlack
from tests.knowledge.conftest import HashedEmbedder
from tests.workers.desk import make_clerk, slack_sender
from tests.workers.gaps.asking_in_vain import VAIN
from tests.workers.gaps.questions import SAME
from tests.workers.gaps.test_gaps import note
from tests.workers.gaps.test_topics import asking
from workers.acting import act
from workers.administering import MOST_TOPICS
from workers.gaps.gaps import Gaps
from workers.gaps.texts import WORDING_CHARS
from workers.gaps.topics import Sorting
from workers.services import Clerk

DM = "DU1"


@pytest.fixture
def clerk(store: redis.Redis, slack: FakeSlack) -> Clerk:
    admins = Access(store, "pairing", frozenset({"slack:U1"}))
    return make_clerk(store, {"slack": slack_sender(slack, store)}, access=admins)


def order(user: str) -> Command:
    reply_to = {"team": "T1", "channel": user, "channel_type": "im", "thread_ts": "", "user": user}
    return Command("slack", f"slack:T1:{user}", f"slack:{user}", "admin", "gaps", "ja", 1.0, reply_to)


def sort(store: redis.Redis) -> None:
    Sorting(Gaps(store), HashedEmbedder).sort()


def test_an_administrator_reads_what_was_asked_in_vain(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    note(store, asking(1, VAIN, "slack:U7"), asking(2, "<!channel> " + "長" * WORDING_CHARS, "slack:U8"))
    sort(store)

    act("o1", order("U1"), clerk)

    (said,) = slack.visible(DM)
    assert VAIN in said
    assert "1回、1人" in said
    assert not any(name in said for name in ("U7", "U8", "<!channel>"))
    assert "長" * WORDING_CHARS not in said


def test_nobody_else_does(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    note(store, asking(1, VAIN))
    sort(store)

    act("o1", order("U2"), clerk)

    (said,) = slack.visible("DU2")
    assert VAIN not in said


def test_a_long_list_ends_with_how_many_more_there_are(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    note(store, *(asking(at, texts[0]) for at, texts in enumerate(SAME)))
    sort(store)
    topics = len(Gaps(store).topics())
    assert topics > MOST_TOPICS

    act("o1", order("U1"), clerk)

    assert slack.visible(DM)[0].endswith(f"ほか{topics - MOST_TOPICS}件")


@pytest.mark.parametrize("text", ["gaps", "未回答"])
def test_the_word_is_an_order_of_administrators_only(text: str) -> None:
    assert said_to_administer(text, is_admin=True) == "gaps"
    assert said_to_administer(text, is_admin=False) is None
