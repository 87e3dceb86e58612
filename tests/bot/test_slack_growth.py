"""An answer on Slack grows before its reader's eyes, and in the end stands there once and whole, whatever happens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.request import Request

import pytest
import redis

from bot.calls import Calls
from bot.errors import DeliveryDeferred, LockLost
from bot.messages import Citation, Message, Reply
from bot.platform import Target
from bot.slack import growth, place, sender
from bot.slack.limiter import Limiter
from bot.slack.reply import SlackReply
from bot.slack.sender import SlackSender
from bot.slack.web import SlackClient, slack_client
from tests.bot.test_slack_sender import LONG, Crash, MemoryJournal, posted, shown, target_of
from tests.fakes.slack import TOKEN, FakeSlack, Fault
from tests.fakes.slack_events import TEAM

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
POST, UPDATE, DELETE, REPLIES = "chat.postMessage", "chat.update", "chat.delete", "conversations.replies"
EXTRACT = Reply("資料の抜粋です。\n「毎月25日」")
FIRST, SECOND = "締め日は**毎月25日**です。", "締め日は**毎月25日**です。翌月10日に振り込まれます。"
ANSWER = Reply(f"{SECOND}\n根拠: 「毎月25日」", (Citation(1, "規程", "https://wiki.example.jp/keihi", "", ""),))
AS_WRITTEN = (growth.APPEND_EVERY_S, growth.EDIT_EVERY_S, growth.STREAM_S)
SHOWN = f"{ANSWER.text}\n[1] 規程 (https://wiki.example.jp/keihi)"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pauses between two calls; what was left open is settled at once."""
    for module, name in (
        (growth, "APPEND_EVERY_S"),
        (growth, "EDIT_EVERY_S"),
        (place, "SETTLE_S"),
        (sender, "LEFT_AFTER_S"),
    ):
        monkeypatch.setattr(module, name, 0.0)


@pytest.fixture
def slack_sender(slack: FakeSlack, store: redis.Redis) -> SlackSender:
    return SlackSender(slack_client(TOKEN, slack.api_url), store)


@pytest.fixture
def target(slack: FakeSlack, store: redis.Redis) -> Target:
    target = target_of(slack.workspace.say("C1", "経費の締め日は？")["ts"])
    waits(store, target)
    return target


def waits(store: redis.Redis, target: Target) -> None:
    """The message waits for its answer."""
    at = float(target.reply_to["ts"])
    message = Message(target.message_id, "slack", target.conversation_id, "slack:U1", "？", at, target.reply_to)
    store.hset(f"messages:{target.conversation_id}", target.message_id, message.to_json())


def mark_of(message: dict[str, Any]) -> Any:
    return (message.get("metadata") or {}).get("event_payload")


def test_an_answer_grows_in_the_place_of_its_preview(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    stream = opened(slack_sender, target, MemoryJournal())
    stream.preview(EXTRACT)

    stream.update(FIRST)
    grown_once = shown(slack, target)
    stream.update(SECOND)

    assert grown_once == [f"{FIRST}\n[growing]"]
    assert shown(slack, target) == [f"{SECOND}\n[growing]"]
    assert slack.workspace.calls[APPEND] == 1


def test_the_whole_answer_stands_in_one_message_with_sources_and_buttons(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    stream = opened(slack_sender, target, MemoryJournal())
    stream.preview(EXTRACT)
    stream.update(FIRST)

    stream.finish(ANSWER)

    (answer,) = posted(slack)
    assert shown(slack, target) == [SHOWN]
    assert [block["type"] for block in answer["blocks"]] == ["markdown", "context", "context_actions"]
    assert mark_of(answer) == {"message_id": target.message_id, "part": 1}


def test_the_last_words_come_with_the_end_of_the_stream(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    stream = opened(slack_sender, target, MemoryJournal())
    stream.update(FIRST)
    slack.fail(UPDATE, Fault(status=429, retry_after=9))

    with pytest.raises(DeliveryDeferred):
        stream.finish(ANSWER)

    assert shown(slack, target) == [ANSWER.text]


def test_a_stream_names_its_thread_and_who_reads_along(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    """The fake refuses it in a channel otherwise."""
    opened(slack_sender, target, MemoryJournal()).update(FIRST)

    assert slack.workspace.calls[START] == 1
    assert posted(slack)[0]["thread_ts"] == target.reply_to["thread_ts"]


def test_an_answer_of_another_wording_than_what_was_appended_is_put_right(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    stream = opened(slack_sender, target, MemoryJournal())
    stream.update(FIRST)

    stream.finish(Reply("資料にはこう書かれています。"))

    assert shown(slack, target) == ["資料にはこう書かれています。"]


def test_what_is_longer_than_a_message_comes_in_further_ones(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    stream = opened(slack_sender, target, MemoryJournal())
    for end in (1_000, 3_000, 5_000, len(LONG)):
        stream.update(LONG[:end])

    stream.finish(Reply(LONG))

    assert "\n\n".join(shown(slack, target)) == LONG
    assert [mark_of(message)["part"] for message in posted(slack)] == [1, 2, 3]


def test_a_mention_that_grows_together_from_two_sentences_calls_nobody(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    stream = opened(slack_sender, target, MemoryJournal())
    stream.update("見て <")
    stream.update("見て <!channel> と @channel")

    assert "<!" not in shown(slack, target)[0]
    assert "@channel" not in shown(slack, target)[0]


def test_sentences_that_come_faster_than_the_pace_are_appended_together(
    slack: FakeSlack, slack_sender: SlackSender, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "APPEND_EVERY_S", 0.2)
    stream = opened(slack_sender, target, MemoryJournal())
    for number in range(1, 6):
        stream.update("文。" * number)
    at_once = slack.workspace.calls[APPEND]

    time.sleep(0.25)
    stream.due(time.time())

    assert at_once == 0
    assert slack.workspace.calls[APPEND] == 1
    assert shown(slack, target) == ["文。" * 5 + "\n[growing]"]


@pytest.mark.parametrize(
    "error",
    [
        "channel_type_not_supported",
        "missing_recipient_user_id",
        "missing_scope",
        "unknown_method",
        "not_allowed_token_type",
    ],
)
def test_where_streams_are_refused_the_answer_grows_by_edits_of_its_preview(
    slack: FakeSlack, slack_sender: SlackSender, target: Target, error: str
) -> None:
    slack.fail(START, Fault(error=error))
    stream = opened(slack_sender, target, MemoryJournal())
    stream.preview(EXTRACT)
    for text in (FIRST, SECOND):
        stream.update(text)
        stream.due(time.time())
    assert shown(slack, target) == [SECOND]

    stream.finish(ANSWER)

    assert shown(slack, target) == [SHOWN]
    assert slack.workspace.calls[POST] == 1


def test_edits_keep_their_pace(
    slack: FakeSlack, slack_sender: SlackSender, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "EDIT_EVERY_S", 0.3)
    slack.workspace.channels["C1"].streams = False
    stream = opened(slack_sender, target, MemoryJournal())
    stream.preview(EXTRACT)
    began = time.monotonic()
    for number in range(1, 60):
        stream.update("文。" * number)
        time.sleep(0.02)

    assert 1 <= slack.workspace.calls[UPDATE] <= (time.monotonic() - began) / 0.3 + 1


def test_the_paces_are_those_that_slack_bears() -> None:
    """100 appends a minute and 50 edits; a stream lives five minutes."""
    assert AS_WRITTEN == (0.7, 1.2, 240.0)


def test_a_workspace_that_takes_no_button_in_a_stream_gets_one_without(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    slack.fail(START, Fault(error="invalid_blocks"))

    opened(slack_sender, target, MemoryJournal()).update(FIRST)

    assert shown(slack, target) == [f"{FIRST}\n[growing]"]
    assert [block["type"] for block in posted(slack)[0]["blocks"]] == ["markdown"]


def test_when_streams_are_used_up_edits_take_their_place(slack: FakeSlack, store: redis.Redis) -> None:
    slack.tiers.on = True
    client = slack_client(TOKEN, slack.api_url, limiter=Limiter(store, TOKEN))
    answers = []
    for _ in range(18):
        target = target_of(slack.workspace.say("C1", "？")["ts"])
        stream = opened(SlackSender(client, store), target, MemoryJournal())
        stream.update(FIRST)
        stream.due(time.time())
        answers.append(shown(slack, target))

    assert answers[:16] == [[f"{FIRST}\n[growing]"]] * 16
    assert answers[16:] == [[FIRST]] * 2
    assert slack.tiers.refused == 0


def test_a_stream_is_ended_in_time_and_the_answer_goes_on_by_edits(
    slack: FakeSlack, slack_sender: SlackSender, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "STREAM_S", 0.0)
    stream = opened(slack_sender, target, MemoryJournal())
    stream.update(FIRST)

    stream.due(time.time())
    assert shown(slack, target) == [FIRST]
    stream.update(SECOND)
    stream.due(time.time())
    assert shown(slack, target) == [SECOND]
    stream.finish(ANSWER)

    assert shown(slack, target) == [SHOWN]
    assert slack.workspace.calls[APPEND] == 0


def test_a_stream_that_slack_has_ended_is_gone_on_with_by_edits(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    stream = opened(slack_sender, target, MemoryJournal())
    stream.update(FIRST)
    slack.workspace.streams.later_s = 301
    stream.update(SECOND)
    stream.due(time.time())
    assert shown(slack, target) == [SECOND]

    stream.finish(ANSWER)

    assert shown(slack, target) == [SHOWN]


def test_who_stops_a_stream_by_slacks_own_button_has_the_answer_ended(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    stream = opened(slack_sender, target, MemoryJournal())
    stream.update(FIRST)
    slack.workspace.stop_stream("C1", posted(slack)[0]["ts"])
    before = stream.stopped

    stream.update(SECOND)
    stream.finish(Reply(f"{FIRST}\n（途中で止めました）"))

    assert not before
    assert stream.stopped
    assert shown(slack, target) == [f"{FIRST}\n（途中で止めました）"]


@pytest.mark.parametrize("deletes", ["before an append", "before the end"])
def test_a_growing_message_that_somebody_deletes_costs_nobody_the_answer(
    slack: FakeSlack, slack_sender: SlackSender, target: Target, deletes: str
) -> None:
    stream = opened(slack_sender, target, MemoryJournal())
    stream.update(FIRST)
    slack.workspace.channels["C1"].messages.remove(posted(slack)[0])
    if deletes == "before an append":
        stream.update(SECOND)
        assert shown(slack, target) == []

    stream.finish(ANSWER)

    assert shown(slack, target) == [SHOWN]


FAULTS = [
    Fault(status=500),
    Fault(status=500, taken=True),
    Fault(reset="before"),
    Fault(reset="after"),
    Fault(status=429),
]


@pytest.mark.parametrize("method", [START, APPEND, STOP, UPDATE, DELETE])
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_one_call_comes_to_the_answer_stands_there_once(
    slack: FakeSlack, slack_sender: SlackSender, target: Target, method: str, fault: Fault
) -> None:
    journal = MemoryJournal()
    stream = opened(slack_sender, target, journal)
    stream.preview(EXTRACT)
    slack.fail(method, fault)
    for text in (FIRST, SECOND):
        stream.update(text)
        stream.due(time.time())

    delivered(slack_sender, target, journal, stream)

    slack_sender.tidy()
    assert shown(slack, target) == [SHOWN]


@pytest.mark.parametrize("method", [START, APPEND, STOP, UPDATE, DELETE, POST])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("updates", [1, 2])
def test_a_worker_that_dies_in_a_call_leaves_its_successor_one_message(
    slack: FakeSlack,
    store: redis.Redis,
    slack_sender: SlackSender,
    target: Target,
    method: str,
    when: str,
    updates: int,
) -> None:
    journal = MemoryJournal()
    stream = opened(SlackSender(DyingClient(slack.api_url, method, when), store), target, journal)
    with suppress(Crash):
        stream.preview(EXTRACT)
        for text in (FIRST, SECOND)[:updates]:
            stream.update(text)
        stream.finish(ANSWER)

    another = opened(slack_sender, target, journal)
    if "parts" not in journal.facts:  # the answer is made anew
        another.preview(EXTRACT)
        another.update("締めは25日です。")
    delivered(slack_sender, target, journal, another)

    slack_sender.tidy()
    assert shown(slack, target) == [SHOWN]


@pytest.mark.parametrize("method", [START, APPEND, STOP, UPDATE, DELETE, POST])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("erased", [True, False], ids=["erased", "given up"])
def test_of_an_answer_that_will_not_come_nothing_is_left(
    slack: FakeSlack,
    store: redis.Redis,
    slack_sender: SlackSender,
    target: Target,
    method: str,
    when: str,
    erased: bool,
) -> None:
    stream = opened(SlackSender(DyingClient(slack.api_url, method, when), store), target, MemoryJournal())
    with suppress(Crash):
        stream.preview(EXTRACT)
        stream.update(FIRST)
        stream.update(SECOND)

    store.delete(f"messages:{target.conversation_id}")
    if erased:
        slack_sender.erase(target.conversation_id, message_ids=[target.message_id])
    else:
        slack_sender.tidy()

    assert shown(slack, target) == []
    assert not notes_in(store)


def test_a_half_message_of_a_question_that_waits_is_left_for_who_answers_it(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    opened(slack_sender, target, MemoryJournal()).update(FIRST)

    slack_sender.tidy()

    assert shown(slack, target) == [f"{FIRST}\n[growing]"]


def test_tidying_never_takes_an_answer_away(
    slack: FakeSlack, store: redis.Redis, slack_sender: SlackSender, target: Target
) -> None:
    stream = opened(slack_sender, target, MemoryJournal(crash_on="sent"))
    stream.update(FIRST)
    with pytest.raises(Crash):
        stream.finish(ANSWER)
    store.delete(f"messages:{target.conversation_id}")

    slack_sender.tidy()

    assert shown(slack, target) == [SHOWN]
    assert not notes_in(store)


def test_what_slack_does_not_take_away_is_tried_again(
    slack: FakeSlack, store: redis.Redis, slack_sender: SlackSender, target: Target
) -> None:
    opened(slack_sender, target, MemoryJournal()).preview(EXTRACT)
    store.delete(f"messages:{target.conversation_id}")
    slack.fail(DELETE, Fault(status=500), Fault(status=429))

    left = []
    for _ in range(3):
        slack_sender.tidy()
        left.append(len(posted(slack)))

    assert left == [1, 1, 0]


@pytest.mark.parametrize("grown", [True, False], ids=["a half answer", "a preview"])
def test_what_stands_for_an_older_message_of_the_same_batch_goes_when_that_is_answered(
    slack: FakeSlack, slack_sender: SlackSender, target: Target, grown: bool
) -> None:
    before = opened(slack_sender, target, MemoryJournal())
    before.preview(EXTRACT)
    if grown:
        before.update(FIRST)
    thread_ts = target.reply_to["thread_ts"]
    later = slack.workspace.say("C1", "給与は？", thread_ts=thread_ts)["ts"]
    newest = Target(f"slack:{TEAM}:C1:{later}", target.conversation_id, "ja", {**target.reply_to, "ts": later})

    stream = opened(slack_sender, newest, MemoryJournal())
    stream.preview(EXTRACT)
    seen = shown(slack, target)
    stream.finish(ANSWER)

    assert seen == [EXTRACT.text]
    assert shown(slack, target) == [SHOWN]


@pytest.mark.parametrize("call", [1, 2, 3, 4, 5, 6, 7])
def test_a_worker_that_loses_its_lock_says_nothing_more(
    slack: FakeSlack, slack_sender: SlackSender, target: Target, call: int
) -> None:
    journal = LosingItsLock(call)
    stream = opened(slack_sender, target, journal)
    with suppress(LockLost):
        stream.preview(EXTRACT)
        stream.update(FIRST)
        stream.update(SECOND)
        stream.finish(ANSWER)

    another = MemoryJournal()
    delivered(slack_sender, target, another, opened(slack_sender, target, another))

    slack_sender.tidy()
    assert shown(slack, target) == [SHOWN]


def test_a_question_that_is_erased_while_its_stream_begins_has_none(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    journal = LosingItsLock(3, lambda: slack_sender.erase(target.conversation_id, message_ids=[target.message_id]))

    with pytest.raises(LockLost):
        opened(slack_sender, target, journal).update(FIRST)

    assert shown(slack, target) == []


def test_a_stream_of_another_bot_in_the_thread_is_left_alone(
    slack: FakeSlack, store: redis.Redis, slack_sender: SlackSender, target: Target
) -> None:
    journal = MemoryJournal()
    with suppress(Crash):
        SlackSender(DyingClient(slack.api_url, START, "before"), store).open(target, journal).update(FIRST)
    slack.workspace.call(
        START,
        {"channel": "C1", "thread_ts": target.reply_to["thread_ts"], "markdown_text": "別の話です。"}
        | {"recipient_team_id": TEAM, "recipient_user_id": "U1"},
    )

    delivered(slack_sender, target, journal, opened(slack_sender, target, journal))
    slack_sender.tidy()

    assert shown(slack, target) == ["別の話です。\n[growing]", SHOWN]


def test_an_apology_takes_the_place_of_what_grew(slack: FakeSlack, slack_sender: SlackSender, target: Target) -> None:
    stream = opened(slack_sender, target, MemoryJournal())
    stream.update(FIRST)

    stream.fail("すみません。")

    assert shown(slack, target) == ["すみません。"]


def test_a_stream_that_cannot_be_ended_keeps_the_answer_waiting(
    slack: FakeSlack, slack_sender: SlackSender, target: Target
) -> None:
    journal = MemoryJournal()
    stream = opened(slack_sender, target, journal)
    stream.update(FIRST)
    slack.fail(STOP, Fault(error="messaging_processing_failed"))

    with pytest.raises(DeliveryDeferred):
        stream.finish(ANSWER)
    slack.workspace.streams.later_s = 301
    delivered(slack_sender, target, journal, opened(slack_sender, target, journal))

    assert shown(slack, target) == [SHOWN]


def test_notes_hold_no_word_of_the_answer(store: redis.Redis, slack_sender: SlackSender, target: Target) -> None:
    opened(slack_sender, target, MemoryJournal()).update(FIRST)

    (noted,) = notes_in(store)
    assert "毎月" not in str(json.loads(noted))


class DyingClient(SlackClient):
    """The worker dies before or after its first call of a method is carried out."""

    def __init__(self, api_url: str, method: str, when: str) -> None:
        super().__init__(TOKEN, api_url, Calls())
        self._dies_in = method
        self._when = when

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        if url.endswith(self._dies_in):
            if self._when == "after":
                super()._perform_urllib_http_request_internal(url, req)
            raise Crash
        return super()._perform_urllib_http_request_internal(url, req)


class LosingItsLock(MemoryJournal):
    """The lock is lost at the check before this call, when `meanwhile` happens."""

    def __init__(self, call: int, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._left = call
        self._meanwhile = meanwhile

    def check(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._meanwhile()
            self.lost = True
        super().check()


def opened(slack_sender: SlackSender, target: Target, journal: MemoryJournal) -> SlackReply:
    """The stream for an answer in a thread."""
    stream = slack_sender.open(target, journal)
    assert isinstance(stream, SlackReply)
    return stream


def delivered(slack_sender: SlackSender, target: Target, journal: MemoryJournal, stream: SlackReply) -> None:
    """Deliver the answer as workers do, who come again when it has to wait."""
    for _ in range(5):
        try:
            stream.finish(ANSWER)
        except DeliveryDeferred:
            stream = opened(slack_sender, target, journal)
        else:
            return
    raise AssertionError("never delivered")


def notes_in(store: redis.Redis) -> list[str]:
    """Everything noted about what stands in the place of answers."""
    return [str(note) for key in store.scan_iter("slack_previews:*") for note in store.hvals(key)]
