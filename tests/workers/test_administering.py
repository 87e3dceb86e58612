"""An administrator's orders are carried out and told in one message that says how far they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from bot.access import Access
from bot.messages import Command
from bot.platform import Sender
from tests.fakes import line_events
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack, Fault
from tests.workers.desk import line_sender, make_clerk, slack_sender
from workers.acting import act
from workers.bulletins import PACE, Bulletins
from workers.phrases import phrase
from workers.runs import Runs, Wish
from workers.services import Clerk

ADMIN, DM = "slack:U1", "DU1"
DONE = {
    "state": "done",
    "verb": "reindex",
    "changed": True,
    "generation": "gen-2",
    "documents": 3,
    "chunks": 9,
    "embedded": 2,
    "added": 2,
    "removed": 1,
    "skipped": [{"path": "<!channel>.pdf", "reason": "encrypted"}],
    "golden": {"asked": 2, "right_now": 2, "worse": [], "retired": ["古い質問"]},
}


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


def clerk_of(store: redis.Redis, **senders: Sender) -> Clerk:
    return make_clerk(store, senders, access=Access(store, "pairing", frozenset({ADMIN, f"line:{line_events.USER}"})))


@pytest.fixture
def clerk(store: redis.Redis, slack: FakeSlack) -> Clerk:
    return clerk_of(store, slack=slack_sender(slack, store))


def order(argument: str, user: str = "U1", language: str = "en") -> Command:
    """A slash command."""
    reply_to = {"team": "T1", "channel": user, "channel_type": "im", "thread_ts": "", "user": user}
    return Command("slack", f"slack:T1:{user}", f"slack:{user}", "admin", argument, language, 1.0, reply_to)


def refresh(clerk: Clerk) -> None:
    clerk.store.delete(PACE)
    Bulletins(clerk.store, clerk.senders).refresh()


def run_of(store: redis.Redis) -> str:
    wish = Runs(store).wished()
    assert wish is not None
    return wish.run


def test_one_message_says_how_far_it_is_until_it_says_what_came_of_it(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk
) -> None:
    act("o1", order("reindex"), clerk)
    assert slack.visible(DM) == ["Reindexing: waiting…"]
    run = run_of(store)

    Runs(store).tell(run, {"state": "running", "stage": "embedding", "done": 5, "total": 90, "per_s": 2, "left_s": 70})
    refresh(clerk)
    assert slack.visible(DM) == ["Reindexing: embedding 5/90 (2/s, about 1 min 10 s left)"]

    Runs(store).end(run, DONE)
    refresh(clerk)
    (told,) = slack.visible(DM)
    assert "gen-2: 3 documents, 9 chunks, 2 newly embedded (2 added, 1 removed)" in told
    assert "古い質問" in told
    assert store.hlen("bulletins") == 0
    assert Runs(store).wished() is None


def test_a_file_name_calls_nobody(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    act("o1", order("reindex"), clerk)
    Runs(store).end(run_of(store), DONE)
    refresh(clerk)

    (message,) = slack.workspace.channels[DM].messages
    assert "<!channel>" not in message["text"]
    assert "encrypted" in message["text"]


def test_what_says_the_same_is_not_sent_again_and_nothing_changes_too_often(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk
) -> None:
    act("o1", order("reindex"), clerk)
    run, bulletins = run_of(store), Bulletins(store, clerk.senders)
    for done in range(20):
        Runs(store).tell(run, {"state": "running", "stage": "embedding", "done": done, "total": 90})
        bulletins.refresh()
    assert slack.workspace.calls["chat.update"] == 1

    refresh(clerk)
    refresh(clerk)
    assert slack.workspace.calls["chat.update"] == 2


def test_an_order_carried_out_again_after_a_crash_is_one_run_and_one_message(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk
) -> None:
    act("o1", order("reindex"), clerk)
    act("o1", order("reindex"), clerk)
    Runs(store).end(run_of(store), DONE)
    act("o1", order("reindex"), clerk)

    assert len(slack.visible(DM)) == 1
    assert Runs(store).wished() is None


def test_a_second_order_follows_the_run_that_is_under_way(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    act("o1", order("reindex"), clerk)
    run = run_of(store)
    act("o2", order("rollback"), clerk)
    assert run_of(store) == run

    Runs(store).end(run, DONE)
    refresh(clerk)

    assert [("gen-2" in said) for said in slack.visible(DM)] == [True, True]


def test_who_may_not_is_told_so_in_both_languages(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    for verb in ("reindex", "status", "rollback", "sources", "cancel"):
        act(f"o {verb}", order(verb, "U2"), clerk)

    assert set(slack.visible("DU2")) == {f"{phrase('not_admin', 'ja')}\n{phrase('not_admin', 'en')}"}
    assert Runs(store).wished() is None


def test_a_message_that_slack_does_not_change_now_is_changed_later(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk
) -> None:
    act("o1", order("reindex"), clerk)
    Runs(store).end(run_of(store), DONE)
    slack.fail("chat.update", Fault(status=429, retry_after=30))
    refresh(clerk)
    refresh(clerk)
    assert slack.visible(DM) == ["Reindexing: waiting…"]
    assert len([asked for asked in slack.asked if asked.method == "chat.update"]) == 1  # it waits as it was told to

    bulletin = json.loads(str(store.hget("bulletins", "o1")))
    store.hset("bulletins", "o1", json.dumps(bulletin | {"not_before": 0}))
    refresh(clerk)
    assert "gen-2" in slack.visible(DM)[0]


def test_a_message_that_its_reader_deleted_is_given_up(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    act("o1", order("reindex"), clerk)
    slack.workspace.channels[DM].messages.clear()
    Runs(store).tell(run_of(store), {"state": "running", "stage": "reading", "done": 1, "total": 0})

    refresh(clerk)

    assert store.hlen("bulletins") == 0


def test_status_and_sources_come_from_the_heartbeat(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    source = {"where": "rules", "title": "", "audience": ["members"], "documents": 3, "chunks": 9, "skipped": 1}
    beat = {"ready": True, "generation": "gen-2", "made_at": 0, "documents": 3, "chunks": 9, "before": "gen-1"}
    store.set("status:knowledge", json.dumps(beat | {"sources": [source]}))

    act("o1", order("status"), clerk)
    act("o2", order("sources"), clerk)
    act("o2", order("sources"), clerk)

    first, second = slack.visible(DM)
    assert "gen-2" in first
    assert "a rollback leads to gen-1" in first
    assert second == "rules: 3 documents, 9 chunks, 1 skipped [members]"


def test_cancel_reaches_the_run_under_way_and_no_later_one(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    act("o0", order("cancel"), clerk)
    assert slack.visible(DM) == [phrase("nothing_to_cancel", "en")]

    act("o1", order("reindex"), clerk)
    act("o2", order("cancel"), clerk)

    assert Runs(store).is_cancelled(run_of(store))
    assert not Runs(store).is_cancelled("another")


def test_options_are_part_of_the_wish(store: redis.Redis, clerk: Clerk) -> None:
    act("o1", order("reindex accept allow-empty dry-run"), clerk)

    wish = Runs(store).wished()
    assert wish == Wish(run_of(store), allow_empty=True, accept=True, dry_run=True)


def test_words_in_a_direct_message_are_answered_in_their_thread(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk
) -> None:
    said = slack.workspace.say("D1", "再インデックス")
    given = order("reindex", language="ja")
    given = replace(given, reply_to={**given.reply_to, "channel": "D1", "thread_ts": said["ts"]})

    act("o1", given, clerk)

    assert slack.visible("D1", said["ts"]) == ["資料の読み直しを待っています…"]


def test_on_line_the_reply_token_says_that_it_begins_and_how_far_it_is(store: redis.Redis) -> None:
    with FakeLine() as line:
        clerk = clerk_of(store, line=line_sender(line, store))
        for number, verb in enumerate(("reindex", "status", "reindex")):
            reply_to = {
                "reply_token": line.issue_token(line_events.USER),
                "expires_at": 4e9,
                "chat_type": "user",
                "chat_id": line_events.USER,
                "user_id": line_events.USER,
                "quote_token": None,
            }
            person = f"line:{line_events.USER}"
            act(f"o{number}", Command("line", person, person, "admin", verb, "ja", 1.0, reply_to), clerk)
            if verb == "reindex":
                Runs(store).tell(run_of(store), {"state": "running", "stage": "embedding", "done": 5, "total": 9})

        begun, status, again = line.visible(line_events.USER)
    assert begun == phrase("run_started", "ja")
    assert "ベクトル計算 5/9" in status
    assert "ベクトル計算 5/9" in again
