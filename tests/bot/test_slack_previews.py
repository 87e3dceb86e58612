"""A preview on Slack stands in one place until its answer takes it, whatever Slack and the processes do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis

from bot.errors import DeliveryDeferred, LockLost
from bot.messages import Citation, Reply
from bot.platform import Target
from bot.slack.limiter import Limiter
from bot.slack.sender import SlackSender
from bot.slack.web import slack_client
from tests.bot.test_slack_sender import LONG, Crash, MemoryJournal, posted, shown, target_of
from tests.fakes.slack import TOKEN, FakeSlack, Fault

EXTRACT = Reply("資料の抜粋です。\n「毎月25日」", (Citation(1, "規程", "https://wiki.example.jp/keihi", "", ""),))
ANSWER = Reply("25日です。")
POST, UPDATE, DELETE = "chat.postMessage", "chat.update", "chat.delete"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def sender(slack: FakeSlack, store: redis.Redis) -> SlackSender:
    return SlackSender(slack_client(TOKEN, slack.api_url), store)


@pytest.fixture
def target(slack: FakeSlack) -> Target:
    return target_of(slack.workspace.say("C1", "経費の締め日は？")["ts"])


def test_an_answer_takes_the_very_place_of_its_preview(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    stream = sender.open(target, MemoryJournal())
    stream.preview(EXTRACT)
    (preview,) = (dict(message) for message in posted(slack))

    stream.finish(Reply(LONG))

    first, *rest = posted(slack)
    assert first["ts"] == preview["ts"]
    assert "[1] <https://wiki" in str(preview["blocks"])
    assert [message["metadata"]["event_payload"]["part"] for message in (first, *rest)] == [1, 2, 3]


def test_a_preview_whose_place_was_not_noted_is_found(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    slack.fail(POST, Fault(reset="after"))
    journal = MemoryJournal()
    sender.open(target, journal).preview(EXTRACT)
    assert len(posted(slack)) == 1

    sender.open(target, journal).finish(ANSWER)

    assert shown(slack, target) == [ANSWER.text]


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(reset="before"), Fault(error="nope")])
def test_a_preview_that_slack_does_not_take_is_no_hindrance(
    slack: FakeSlack, sender: SlackSender, target: Target, fault: Fault
) -> None:
    slack.fail(POST, fault)
    stream = sender.open(target, MemoryJournal())
    stream.preview(EXTRACT)

    stream.finish(ANSWER)

    assert shown(slack, target) == [ANSWER.text]


def test_slack_gets_the_patience_that_it_asked_for_when_a_preview_was_posted(
    slack: FakeSlack, store: redis.Redis, target: Target
) -> None:
    sender = SlackSender(slack_client(TOKEN, slack.api_url, limiter=Limiter(store, TOKEN)), store)
    slack.fail(POST, Fault(status=429, retry_after=30))
    stream = sender.open(target, MemoryJournal())
    stream.preview(EXTRACT)

    with pytest.raises(DeliveryDeferred) as deferred:
        stream.finish(ANSWER)

    assert 28 < (deferred.value.retry_after_s or 0) <= 30
    assert [asked.method for asked in slack.asked].count(POST) == 1


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(reset="before"), Fault(reset="after"), Fault(status=429)])
def test_a_replacement_that_slack_leaves_open_is_made_again(
    slack: FakeSlack, sender: SlackSender, target: Target, fault: Fault
) -> None:
    journal = MemoryJournal()
    sender.open(target, journal).preview(EXTRACT)
    slack.fail(UPDATE, fault)

    for _ in range(2):
        try:
            sender.open(target, journal).finish(ANSWER)
        except DeliveryDeferred:
            continue

    assert shown(slack, target) == [ANSWER.text]


@pytest.mark.parametrize("crash_on", ["parts", "sending", "sent"])
def test_a_crash_between_preview_and_answer_leaves_one_post(
    slack: FakeSlack, sender: SlackSender, target: Target, crash_on: str
) -> None:
    journal = MemoryJournal(crash_on)
    stream = sender.open(target, journal)
    stream.preview(EXTRACT)
    with pytest.raises(Crash):
        stream.finish(ANSWER)

    journal.crash_on = ""
    another = sender.open(target, journal)
    if crash_on == "parts":  # the answer is made anew
        another.preview(EXTRACT)
    another.finish(ANSWER)

    assert shown(slack, target) == [ANSWER.text]


@pytest.mark.parametrize("refusal", ["message_not_found", "edit_window_closed", "cant_update_message"])
def test_a_preview_that_cannot_be_replaced_costs_nobody_the_answer(
    slack: FakeSlack, sender: SlackSender, target: Target, refusal: str
) -> None:
    stream = sender.open(target, MemoryJournal())
    stream.preview(EXTRACT)
    slack.fail(UPDATE, Fault(error=refusal))

    stream.finish(ANSWER)

    assert shown(slack, target)[-1] == ANSWER.text


def test_a_part_that_is_too_long_for_the_place_of_a_preview_is_cut(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    stream = sender.open(target, MemoryJournal())
    stream.preview(EXTRACT)
    slack.fail(UPDATE, Fault(error="msg_too_long"))

    stream.finish(Reply("あ" * 1_000))

    assert "".join(shown(slack, target)) == "あ" * 1_000
    assert len(posted(slack)) == 2


def test_a_preview_of_a_question_that_is_erased_while_it_is_posted_is_taken_away(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    journal = Losing(lambda: sender.erase(target.conversation_id, message_ids=[target.message_id]))

    with pytest.raises(LockLost):
        sender.open(target, journal).preview(EXTRACT)

    assert posted(slack) == []


def test_a_worker_that_lost_its_lock_leaves_the_answer_that_took_the_place_of_its_preview(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    journal = Losing(lambda: sender.open(target, MemoryJournal()).finish(ANSWER))

    with pytest.raises(LockLost):
        sender.open(target, journal).preview(EXTRACT)

    assert shown(slack, target) == [ANSWER.text]


def test_a_worker_that_lost_its_lock_takes_away_a_preview_beside_another_one(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    def another_posts_too() -> None:
        first = posted(slack).pop()
        slack.workspace.channels["C1"].messages.remove(first)  # not visible yet to who looks for it
        sender.open(target, MemoryJournal()).preview(EXTRACT)
        slack.workspace.channels["C1"].messages.append(first)

    with pytest.raises(LockLost):
        sender.open(target, Losing(another_posts_too)).preview(EXTRACT)

    assert len(posted(slack)) == 1


def test_erasing_what_somebody_else_asked_leaves_a_preview_alone(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    sender.open(target, MemoryJournal()).preview(EXTRACT)

    sender.erase(target.conversation_id, user_id="slack:U2")
    sender.erase(target.conversation_id, message_ids=["slack:another"])

    assert len(posted(slack)) == 1


def test_an_erasure_that_slack_does_not_carry_out_is_tried_again(
    slack: FakeSlack, sender: SlackSender, target: Target
) -> None:
    sender.open(target, MemoryJournal()).preview(EXTRACT)
    slack.fail(DELETE, Fault(status=500))

    with pytest.raises(DeliveryDeferred):
        sender.erase(target.conversation_id, user_id="slack:U1")
    sender.erase(target.conversation_id, user_id="slack:U1")

    assert posted(slack) == []


def test_an_erasure_never_takes_an_answer_away(slack: FakeSlack, sender: SlackSender, target: Target) -> None:
    stream = sender.open(target, MemoryJournal(crash_on="sent"))
    stream.preview(EXTRACT)
    with pytest.raises(Crash):
        stream.finish(ANSWER)

    sender.erase(target.conversation_id, user_id="slack:U1")

    assert shown(slack, target) == [ANSWER.text]


class Losing(MemoryJournal):
    """The lock is lost after the first call to Slack, when `meanwhile` happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile = meanwhile
        self._checks = 0

    def check(self) -> None:
        self._checks += 1
        if self._checks == 3:  # one comes before the note, one before the call
            self._meanwhile()
            self.lost = True
        super().check()
