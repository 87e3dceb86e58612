"""Who reads along decides, each time anew: a place that has opened to others, a person who is a guest now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis

from bot.line.events import translate
from bot.messages import Message
from tests.fakes import line_events, slack_events
from tests.fakes.line import FakeLine
from tests.fakes.model import Script, ScriptedGenerator
from tests.fakes.slack import FakeSlack, Fault
from tests.stored import everything_in
from tests.workers.conftest import MEMBERS_DOCUMENTS
from tests.workers.desk import ANSWER, from_slack, line_sender, make_desk, saying, slack_sender
from tests.workers.making import accept
from workers.generation import Prompt
from workers.services import Desk, Retriever
from workers.serving import answer_next

BONUS, EXPENSES = "冬の賞与はいつですか？", "経費の締め日はいつですか？"
(DOCUMENT,) = MEMBERS_DOCUMENTS.values()
TITLE, SECRET = DOCUMENT.split("\n")[0].removeprefix("# "), "12月10日"
assert SECRET in DOCUMENT


@pytest.fixture
def generator() -> Iterator[ScriptedGenerator]:
    """A model that says what its first passage says."""

    def first_passage(prompt: Prompt) -> str:
        return prompt.passages[0].chunk.text.splitlines()[-1]

    with saying(Script(first_passage)) as model:
        yield model


@pytest.fixture
def desk(
    store: redis.Redis, retriever: Retriever, generator: ScriptedGenerator, slack: FakeSlack, line: FakeLine
) -> Desk:
    """A worker for both platforms; on LINE people are let in."""
    senders = {"slack": slack_sender(slack, store), "line": line_sender(line, store)}
    return make_desk(store, retriever, generator, senders=senders)


def in_the_channel(slack: FakeSlack, text: str, thread_ts: str | None = None, **where: Any) -> Message:
    """A mention in a channel's thread, which may be shared by now."""
    said = from_slack(slack, text, thread_ts=thread_ts)
    return replace(said, reply_to={**said.reply_to, **where})


def in_a_dm(slack: FakeSlack, text: str) -> Message:
    said = slack.workspace.say("D1", text, user="U1")
    where = {"team": slack_events.TEAM, "channel": "D1", "channel_type": "im", "ext_shared": False, "user": "U1"}
    return Message(
        id=f"slack:{slack_events.TEAM}:D1:{said['ts']}",
        platform="slack",
        conversation_id=f"slack:{slack_events.TEAM}:D1",
        user_id="slack:U1",
        text=text,
        sent_at=float(said["ts"]),
        reply_to={**where, "thread_ts": said["ts"], "ts": said["ts"]},
    )


def on_line(line: FakeLine, text: str, source: dict[str, str]) -> Message:
    chat = source.get("groupId") or source["userId"]
    write = line_events.mentioning if "groupId" in source else line_events.text
    said = translate(write(f"@窓口 {text}", source=source, reply_token=line.issue_token(chat)), received_at=time.time())
    assert isinstance(said, Message)
    return said


def ask(store: redis.Redis, desk: Desk, said: Message) -> None:
    accept(store, said)
    answer_next(said.conversation_id, desk)


def given(generator: ScriptedGenerator) -> str:
    """Everything that the model was given since it was asked last."""
    given = "\n".join(message.text for prompt in generator.prompts for message in prompt.messages)
    generator.prompts.clear()
    return given


def test_what_a_channel_was_told_is_not_told_on_when_another_company_has_joined_it(
    store: redis.Redis, desk: Desk, slack: FakeSlack, generator: ScriptedGenerator
) -> None:
    first = in_the_channel(slack, BONUS)
    thread = first.reply_to["thread_ts"]
    ask(store, desk, first)
    assert SECRET in given(generator)
    assert not store.exists("rewrite")

    ask(store, desk, in_the_channel(slack, EXPENSES, thread, ext_shared=True))
    ask(store, desk, in_the_channel(slack, BONUS, thread, ext_shared=True))

    assert SECRET not in given(generator)
    before, *after = slack.visible("C1", thread)
    assert SECRET in before
    assert ANSWER in after[0]
    assert not any(words in "\n".join(after) for words in (SECRET, TITLE))
    assert SECRET not in everything_in(store)
    assert store.smembers("rewrite") == {first.conversation_id}  # from the store's file it goes with the clerk's tick


def test_who_has_become_a_guest_is_not_told_on_what_a_member_was_told(
    store: redis.Redis, desk: Desk, slack: FakeSlack, generator: ScriptedGenerator
) -> None:
    ask(store, desk, in_a_dm(slack, BONUS))
    assert SECRET in given(generator)
    slack.workspace.users["U1"] = slack_events.user("U1", is_restricted=True)
    store.delete(f"slack:member:{slack_events.TEAM}:U1")  # ten minutes later

    ask(store, desk, in_a_dm(slack, EXPENSES))
    ask(store, desk, in_a_dm(slack, BONUS))

    assert SECRET not in given(generator)
    assert not any(SECRET in shown or TITLE in shown for shown in slack.visible("D1")[1:])
    assert SECRET not in everything_in(store)


@pytest.mark.parametrize(
    "fault", [Fault(status=500), Fault(status=429, retry_after=60), Fault(error="fatal_error"), Fault(body="{}")]
)
def test_while_slack_does_not_say_who_it_is_only_what_everybody_may_read_is_told(
    store: redis.Redis, desk: Desk, slack: FakeSlack, fault: Fault
) -> None:
    slack.fail("users.info", *[fault] * 3)

    ask(store, desk, in_a_dm(slack, BONUS))

    (shown,) = slack.visible("D1")
    assert SECRET not in shown
    assert TITLE not in shown


@pytest.mark.parametrize("source", [line_events.user(), line_events.group()], ids=["1:1", "group"])
def test_a_line_account_that_everybody_may_use_tells_no_members_document(
    store: redis.Redis, desk: Desk, line: FakeLine, generator: ScriptedGenerator, source: dict[str, str]
) -> None:
    chat = source.get("groupId") or source["userId"]
    ask(store, desk, on_line(line, BONUS, source))
    assert SECRET in given(generator)
    opened = replace(desk, senders={"line": line_sender(line, store, access="open")})

    ask(store, opened, on_line(line, EXPENSES, source))
    ask(store, opened, on_line(line, BONUS, source))

    assert SECRET not in given(generator)
    before, *after = line.visible(chat)
    assert SECRET in before
    assert ANSWER in after[0]
    assert not any(words in "\n".join(after) for words in (SECRET, TITLE))


def test_what_one_of_the_channel_asked_is_answered_alike_whoever_asks(
    store: redis.Redis, desk: Desk, slack: FakeSlack
) -> None:
    """The place counts: neither does a member's right come along into a shared channel, nor an admin's."""
    slack.workspace.users["U2"] = slack_events.user("U2", is_admin=True, is_owner=True)
    said = replace(in_the_channel(slack, BONUS, ext_shared=True, user="U2"), user_id="slack:U2")

    ask(store, desk, said)

    (shown,) = slack.visible("C1", said.reply_to["thread_ts"])
    assert SECRET not in shown
    assert TITLE not in shown
