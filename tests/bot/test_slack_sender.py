"""The sender shows each part of an answer once, in its thread, whatever Slack and the processes do."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from bot.errors import DeliveryDeferred, DeliveryFailed, LockLost
from bot.messages import Citation, Reply
from bot.platform import Target
from bot.slack.reply import PART_CHARS
from bot.slack.sender import SlackSender
from bot.slack.web import slack_client
from tests.fakes.slack import TOKEN, FakeSlack, Fault
from tests.fakes.slack_events import TEAM, user

POST, REPLIES = "chat.postMessage", "conversations.replies"
LONG = "\n\n".join(f"段落{number}。" + "あ" * 1_500 for number in range(5))


class MemoryJournal:
    """The journal without a store; `crash_on` raises before that fact is written, `lost` means the lock is gone."""

    def __init__(self, crash_on: str = "") -> None:
        self.facts: dict[str, Any] = {}
        self.crash_on = crash_on
        self.lost = False

    def read(self) -> dict[str, Any]:
        return dict(self.facts)

    def write(self, **facts: Any) -> None:
        self.check()
        if self.crash_on in facts:
            raise Crash
        self.facts |= facts

    def check(self) -> None:
        if self.lost:
            raise LockLost


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def sender(slack: FakeSlack, store: redis.Redis) -> SlackSender:
    return SlackSender(slack_client(TOKEN, slack.api_url), store)


@pytest.fixture
def target(slack: FakeSlack) -> Target:
    question = slack.workspace.say("C1", "経費の締め日は？")
    return target_of(question["ts"])


def target_of(ts: str, **reply_to: Any) -> Target:
    where = {"team": TEAM, "channel": "C1", "channel_type": "channel", "ext_shared": False, "user": "U1"}
    return Target(
        message_id=f"slack:{TEAM}:C1:{ts}",
        conversation_id=f"slack:{TEAM}:C1:{ts}",
        language="ja",
        reply_to=where | {"thread_ts": ts, "ts": ts} | reply_to,
    )


def shown(slack: FakeSlack, target: Target) -> list[str]:
    return slack.visible("C1", target.reply_to["thread_ts"])


def posted(slack: FakeSlack) -> list[dict[str, Any]]:
    return [m for m in slack.workspace.channels["C1"].messages if "bot_id" in m]


def test_an_answer_is_shown_in_the_thread_of_its_question(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    delivered = sender.open(target, MemoryJournal()).finish(Reply("**毎月25日**です。"))

    assert shown(slack, target) == ["**毎月25日**です。"]
    assert delivered.text == "**毎月25日**です。"
    assert not delivered.kept


def test_sources_are_shown_beneath_linked_when_a_browser_can_open_them(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    cited = (
        Citation(1, "経費 <規程>", "https://wiki.example.jp/経費?a=1&b=2", "締め", "…"),
        Citation(2, "手順", "rules/expenses.md", "締め", "…"),
    )

    sender.open(target, MemoryJournal()).finish(Reply("25日です。", cited))

    context = posted(slack)[0]["blocks"][1]
    assert [element["text"] for element in context["elements"]] == [
        "[1] <https://wiki.example.jp/%E7%B5%8C%E8%B2%BB?a=1&amp;b=2|経費 &lt;規程&gt;>",
        "[2] 手順",
    ]


def test_a_long_answer_comes_in_parts_with_the_sources_under_the_last(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    delivered = sender.open(target, MemoryJournal()).finish(Reply(LONG, (Citation(1, "規程", "a.md", "", ""),)))

    texts = [message["blocks"][0]["text"] for message in posted(slack)]
    assert "\n\n".join(texts) == LONG == delivered.text
    assert len(texts) == 3
    assert all(len(text) <= PART_CHARS for text in texts)
    assert [len(message["blocks"]) for message in posted(slack)] == [1, 1, 3]


def test_every_part_carries_what_it_is_known_by(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    sender.open(target, MemoryJournal()).finish(Reply(LONG))

    assert [message["metadata"] for message in posted(slack)] == [
        {"event_type": "madoguchi_reply", "event_payload": {"message_id": target.message_id, "part": part}}
        for part in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    "call",
    ["<!channel>", "<!here|here>", "<@U1>", "<#C1>", "@channel", "@everyone", "&lt;!channel&gt;", "<!subteam^S1>"],
)
def test_nobody_is_called_by_an_answer(slack: FakeSlack, sender: SlackSender, target: Target, call: str) -> None:
    sender.open(target, MemoryJournal()).finish(Reply(f"見て {call} と `{call}`", (Citation(1, call, call, "", ""),)))

    sent = posted(slack)[0]
    context = sent["blocks"][1]["elements"][0]["text"]
    assert not any(call in text for text in (sent["text"], sent["blocks"][0]["text"], context))
    assert not any(f"<{sign}" in sent["text"] + context for sign in "!@#")


def test_the_notification_text_is_escaped_and_no_longer_than_slack_advises(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    sender.open(target, MemoryJournal()).finish(Reply("a & b < c\n" + "&" * 3_000))

    text = posted(slack)[0]["text"]
    assert text.startswith("a &amp; b &lt; c\n")
    assert len(text) <= 4_000
    assert text.endswith("&amp;…")


def test_a_worker_that_goes_on_after_a_crash_shows_what_is_missing_only(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    journal = MemoryJournal(crash_on="sent")
    with pytest.raises(Crash):
        sender.open(target, journal).finish(Reply(LONG))

    journal.crash_on = ""
    sender.open(target, journal).finish(Reply(LONG))

    assert "\n\n".join(shown(slack, target)) == LONG


def test_a_crash_before_the_call_loses_nothing(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    journal = MemoryJournal()
    journal.write(parts=["25日です。"], sources=[], sending=1)

    sender.open(target, journal).finish(Reply("25日です。"))

    assert shown(slack, target) == ["25日です。"]


def test_a_part_is_found_among_many_replies(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    journal = MemoryJournal(crash_on="sent")
    thread_ts = target.reply_to["thread_ts"]
    for number in range(250):
        slack.workspace.say("C1", f"{number}", thread_ts=thread_ts)
    with pytest.raises(Crash):
        sender.open(target, journal).finish(Reply("25日です。"))

    journal.crash_on = ""
    sender.open(target, journal).finish(Reply("25日です。"))

    assert shown(slack, target) == ["25日です。"]
    assert slack.workspace.calls[REPLIES] == 2


def test_an_answer_begun_by_another_worker_ends_in_its_own_words(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    journal = MemoryJournal()
    slack.fail(POST, Fault(), Fault(status=429))
    with pytest.raises(DeliveryDeferred):
        sender.open(target, journal).finish(Reply(LONG))

    delivered = sender.open(target, journal).finish(Reply("another wording of the same answer"))

    assert "\n\n".join(shown(slack, target)) == LONG == delivered.text


def test_a_connection_that_breaks_after_slack_took_it_shows_one_message(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    slack.fail(POST, Fault(reset="after"))

    sender.open(target, MemoryJournal()).finish(Reply("25日です。"))

    assert shown(slack, target) == ["25日です。"]


@pytest.mark.parametrize("fault", [Fault(reset="before"), Fault(status=500), Fault(error="fatal_error")])
def test_what_may_have_been_taken_is_looked_for_before_it_is_sent_again(
    slack: FakeSlack, sender: SlackSender, target: Target, fault: Fault
) -> None:
    journal = MemoryJournal()
    slack.fail(POST, fault)
    with pytest.raises(DeliveryDeferred):
        sender.open(target, journal).finish(Reply("25日です。"))

    sender.open(target, journal).finish(Reply("25日です。"))

    assert shown(slack, target) == ["25日です。"]
    assert slack.workspace.calls[REPLIES] == 2


def test_a_slow_slack_is_not_asked_twice(slack: FakeSlack, store: redis.Redis, target: Target) -> None:
    hasty = slack_client(TOKEN, slack.api_url)
    hasty.timeout = 0.2
    slack.fail(POST, Fault(after_s=30))

    SlackSender(hasty, store).open(target, MemoryJournal()).finish(Reply("25日です。"))

    assert shown(slack, target) == ["25日です。"]


def test_while_it_cannot_be_looked_for_nothing_is_sent(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    journal = MemoryJournal()
    slack.fail(POST, Fault(reset="after"))
    slack.fail(REPLIES, Fault(status=500), Fault(status=429, retry_after=7))
    with pytest.raises(DeliveryDeferred):
        sender.open(target, journal).finish(Reply("25日です。"))
    with pytest.raises(DeliveryDeferred) as limited:
        sender.open(target, journal).finish(Reply("25日です。"))

    sender.open(target, journal).finish(Reply("25日です。"))

    assert limited.value.retry_after_s == 7
    assert shown(slack, target) == ["25日です。"]


def test_a_rate_limit_defers_for_as_long_as_slack_says(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    journal = MemoryJournal()
    slack.fail(POST, Fault(status=429, retry_after=30))
    with pytest.raises(DeliveryDeferred) as limited:
        sender.open(target, journal).finish(Reply("25日です。"))

    sender.open(target, journal).finish(Reply("25日です。"))

    assert limited.value.retry_after_s == 30
    assert slack.workspace.calls[REPLIES] == 0


@pytest.mark.parametrize(
    "error", ["channel_not_found", "is_archived", "not_in_channel", "account_inactive", "token_revoked", "invalid_auth"]
)
def test_what_slack_refuses_for_good_fails(slack: FakeSlack, sender: SlackSender, target: Target, error: str) -> None:
    slack.fail(POST, Fault(error=error))

    with pytest.raises(DeliveryFailed, match=error):
        sender.open(target, MemoryJournal()).finish(Reply("25日です。"))


def test_a_slack_that_cannot_be_reached_defers(store: redis.Redis) -> None:
    with FakeSlack() as gone:
        address = gone.api_url
    sender = SlackSender(slack_client(TOKEN, address), store)

    with pytest.raises(DeliveryDeferred, match="not reachable"):
        sender.open(target_of("1700000000.000100"), MemoryJournal()).finish(Reply("25日です。"))


def test_a_wrong_token_fails(slack: FakeSlack, store: redis.Redis, target: Target) -> None:
    sender = SlackSender(slack_client("xoxb-other", slack.api_url), store)

    with pytest.raises(DeliveryFailed, match="invalid_auth"):
        sender.open(target, MemoryJournal()).finish(Reply("25日です。"))


def test_the_answer_to_a_deleted_question_fails(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    slack.workspace.delete("C1", target.reply_to["ts"])

    with pytest.raises(DeliveryFailed, match="thread_not_found"):
        sender.open(target, MemoryJournal()).finish(Reply("25日です。"))


def test_what_is_too_long_for_slack_is_cut_again(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    slack.fail(POST, Fault(error="msg_too_long"), Fault(error="msg_blocks_too_long"))
    text = "\n\n".join("あ" * 300 for _ in range(10))

    sender.open(target, MemoryJournal()).finish(Reply(text))

    assert "\n\n".join(shown(slack, target)) == text
    assert len(shown(slack, target)) > 2


def test_what_is_too_long_however_short_fails(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    slack.fail(POST, *[Fault(error="msg_too_long")] * 20)

    with pytest.raises(DeliveryFailed):
        sender.open(target, MemoryJournal()).finish(Reply("あ" * 3_000))


def test_who_has_lost_the_lock_calls_slack_no_more(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    journal = MemoryJournal()
    stream = sender.open(target, journal)
    journal.lost = True

    for step in (lambda: stream.waiting("…"), lambda: stream.finish(Reply("x")), lambda: stream.fail("x")):
        with pytest.raises(LockLost):
            step()
    assert not slack.workspace.calls


def test_an_apology_is_shown_in_place_of_an_answer(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    journal = MemoryJournal()

    sender.open(target, journal).fail("すみません。")
    sender.open(target, journal).fail("すみません。")

    assert shown(slack, target) == ["すみません。"]


def test_an_apology_takes_the_place_of_what_is_not_shown_yet(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    journal = MemoryJournal()
    slack.fail(POST, Fault(), Fault(reset="before"))
    with pytest.raises(DeliveryDeferred):
        sender.open(target, journal).finish(Reply(LONG))
    first = shown(slack, target)

    sender.open(target, journal).fail("すみません。")

    assert shown(slack, target) == [*first, "すみません。"]


def test_an_answer_that_is_shown_whole_needs_no_apology(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    journal = MemoryJournal(crash_on="sent")
    with pytest.raises(Crash):
        sender.open(target, journal).finish(Reply("25日です。"))

    journal.crash_on = ""
    delivered = sender.open(target, journal).fail("すみません。")

    assert shown(slack, target) == ["25日です。"]
    assert delivered.text == "25日です。"


def test_who_waits_is_told_so_under_the_question(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    sender.open(target, MemoryJournal()).waiting("順番を待っています（2番目）")

    thread_ts = target.reply_to["thread_ts"]
    assert slack.workspace.channels["C1"].statuses == [(thread_ts, "順番を待っています（2番目）")]


@pytest.mark.parametrize("fault", [Fault(status=429), Fault(status=500), Fault(reset="before"), Fault(error="x")])
def test_a_status_that_slack_refuses_is_no_failure(
    slack: FakeSlack, sender: SlackSender, target: Target, fault: Fault
) -> None:
    slack.fail("assistant.threads.setStatus", fault)

    sender.open(target, MemoryJournal()).waiting("…")


def test_no_log_tells_an_answer_or_the_token(
    slack: FakeSlack, sender: SlackSender, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.fail(POST, Fault(status=500))
    slack.fail("assistant.threads.setStatus", Fault(error="x"))
    stream = sender.open(target, MemoryJournal())

    stream.waiting("経費の秘密")
    with pytest.raises(DeliveryDeferred):
        stream.finish(Reply("経費の秘密"))
    stream.finish(Reply("経費の秘密"))

    told = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "status not shown" in told
    assert not any(secret in told for secret in ("経費の秘密", r"\u7d4c\u8cbb", TOKEN))


def test_in_a_channel_the_channels_audience_counts(sender: SlackSender) -> None:
    reply_to = target_of("1.1").reply_to

    assert sender.audience(reply_to) == {"public", "members", "slack:C1"}
    assert sender.audience({**reply_to, "ext_shared": True}) == {"public", "slack:C1"}


def test_a_full_member_in_a_dm_is_a_member(sender: SlackSender) -> None:
    reply_to = target_of("1.1", channel="D1", channel_type="im").reply_to

    assert sender.audience(reply_to) == {"public", "members", "slack:U1"}


@pytest.mark.parametrize(
    "profile",
    [
        user("U1", is_restricted=True),
        user("U1", is_restricted=True, is_ultra_restricted=True),
        user("U1", is_stranger=True),
        user("U1", team_id="T9OTHER"),
        user("U1", deleted=True),
        {"id": "U1"},
    ],
)
def test_guests_and_strangers_in_a_dm_see_public_documents_only(
    slack: FakeSlack, sender: SlackSender, profile: dict[str, Any]
) -> None:
    slack.workspace.users["U1"] = profile
    reply_to = target_of("1.1", channel="D1", channel_type="im").reply_to

    assert sender.audience(reply_to) == {"public", "slack:U1"}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=429, retry_after=60),
        Fault(reset="before"),
        Fault(error="user_not_found"),
    ],
)
def test_who_cannot_be_looked_up_is_no_member_and_asked_again_next_time(
    slack: FakeSlack, sender: SlackSender, fault: Fault
) -> None:
    slack.fail("users.info", fault)
    reply_to = target_of("1.1", channel="D1", channel_type="im").reply_to

    assert sender.audience(reply_to) == {"public", "slack:U1"}
    assert sender.audience(reply_to) == {"public", "members", "slack:U1"}


def test_a_person_is_looked_up_once_in_ten_minutes(slack: FakeSlack, sender: SlackSender, store: redis.Redis) -> None:
    reply_to = target_of("1.1", channel="D1", channel_type="im").reply_to

    sender.audience(reply_to)
    sender.audience(reply_to)

    assert slack.workspace.calls["users.info"] == 1
    assert 0 < store.ttl(f"slack:member:{TEAM}:U1") <= 600
