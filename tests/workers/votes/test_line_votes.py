"""On LINE nothing shows that a button was pressed: who pressed is thanked, once, on the press's own token."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

import pytest
import redis

from bot.errors import DeliveryDeferred
from bot.line.events import translate
from bot.line.postback import Postback
from bot.line.sender import LineSender
from bot.messages import Action, Command, Deletion, Message, Reply
from bot.platform import Target
from bot.votes import VOTE
from knowledge.retrieval import Retriever
from tests.bot.line.sending import MemoryJournal
from tests.fakes import line_events, line_flex
from tests.fakes.line import REPLY, FakeLine, Fault
from tests.fakes.line_events import GROUP, OTHER_USER, USER
from tests.fakes.model import Script
from tests.workers.desk import ANSWER, line_sender, make_clerk, make_desk, saying
from tests.workers.making import accept
from workers.acting import act
from workers.gaps.gaps import Gaps
from workers.phrases import phrase
from workers.services import Clerk
from workers.serving import answer_next
from workers.votes.votes import Votes

QUESTION = "@窓口 経費の締め日はいつですか？"
COUNTED, CHANGED, NOT_COUNTED = (phrase(f"vote_{what}", "ja") for what in ("counted", "changed", "not_counted"))
Value = Literal["up", "down"]


@pytest.fixture
def sender(line: FakeLine, store: redis.Redis) -> LineSender:
    return line_sender(line, store)


@pytest.fixture
def clerk(sender: LineSender, store: redis.Redis) -> Clerk:
    return make_clerk(store, {"line": sender})


@pytest.fixture(params=[USER, GROUP], ids=["1:1", "group"])
def chat(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asked(line: FakeLine, sender: LineSender, store: redis.Redis, retriever: Retriever, chat: str) -> Message:
    """A question in the chat that is answered with a card."""
    said = line_events.mentioning(QUESTION, source=source(chat), reply_token=line.issue_token(chat))
    message = translate(said, time.time())
    assert isinstance(message, Message)
    accept(store, message)
    with saying(Script(ANSWER)) as generator:
        answer_next(message.conversation_id, make_desk(store, retriever, generator, senders={"line": sender}))
    return message


def source(chat: str, who: str = USER) -> Mapping[str, str]:
    return line_events.group(who, chat) if chat.startswith("C") else line_events.user(chat)


def press(line: FakeLine, chat: str, value: Value, *, who: str = USER, age_s: float = 0.0) -> Action:
    """Somebody presses a button of the newest card in the chat."""
    card = next(message for message in reversed(line.messages(chat)) if message["type"] == "flex")
    data = next(data for data in line_flex.postbacks(card) if data.endswith(f"v={value}"))
    tapped = line_events.postback(data, source(chat, who), reply_token=line.issue_token(chat))
    vote = translate(tapped, time.time() - age_s)
    assert isinstance(vote, Action)
    return vote


def said_since(line: FakeLine, chat: str) -> list[str]:
    """What the chat shows below the answer."""
    return line.visible(chat)[1:]


def test_who_presses_is_thanked_for_free_and_the_vote_counts(
    line: FakeLine, clerk: Clerk, store: redis.Redis, asked: Message, chat: str
) -> None:
    act("vote 1", press(line, chat, "up"), clerk)

    (vote,) = Votes(store).all()
    assert (vote.voter, vote.value, vote.answer_id) == (f"line:{USER}", "up", asked.id)
    assert said_since(line, chat) == [COUNTED]
    assert line.pushes == 0


def test_the_same_press_again_says_nothing_and_another_one_says_that_it_changed(
    line: FakeLine, clerk: Clerk, store: redis.Redis, asked: Message, chat: str
) -> None:
    for number, value in enumerate(("up", "up", "down", "down", "up")):
        act(f"vote {number}", press(line, chat, value), clerk)

    assert said_since(line, chat) == [COUNTED, CHANGED, CHANGED]
    assert [vote.value for vote in Votes(store).all()] == ["up"]


@pytest.mark.parametrize("chat", [GROUP], indirect=True)
def test_in_a_group_everybody_has_a_vote(
    line: FakeLine, clerk: Clerk, store: redis.Redis, asked: Message, chat: str
) -> None:
    act("vote 1", press(line, chat, "up"), clerk)
    act("vote 2", press(line, chat, "down", who=OTHER_USER), clerk)
    act("vote 3", press(line, chat, "down", who=OTHER_USER), clerk)

    votes = {vote.voter: vote.value for vote in Votes(store).all()}
    assert votes == {f"line:{USER}": "up", f"line:{OTHER_USER}": "down"}
    assert said_since(line, chat) == [COUNTED, COUNTED]


def test_what_its_asker_finds_unhelpful_is_a_gap(
    line: FakeLine, clerk: Clerk, store: redis.Redis, asked: Message, chat: str
) -> None:
    act("vote 1", press(line, chat, "down"), clerk)

    (gap,) = Gaps(store).all()
    assert (gap.id, gap.why, gap.conversation_id) == (asked.id, "vote", asked.conversation_id)


def test_a_press_that_is_carried_out_again_after_a_crash_is_thanked_once(
    line: FakeLine, clerk: Clerk, asked: Message, chat: str
) -> None:
    pressed = press(line, chat, "up")

    act("vote 1", pressed, clerk)
    act("vote 1", pressed, clerk)

    assert said_since(line, chat) == [COUNTED]


def test_a_press_that_line_defers_is_thanked_when_it_comes_again(
    line: FakeLine, clerk: Clerk, store: redis.Redis, asked: Message, chat: str
) -> None:
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    pressed = press(line, chat, "up")
    with pytest.raises(DeliveryDeferred):
        act("vote 1", pressed, clerk)
    assert len(Votes(store).all()) == 1

    act("vote 1", pressed, clerk)

    assert said_since(line, chat) == [COUNTED]


@pytest.mark.parametrize("fault", [Fault.FORBIDDEN, Fault.BAD_REQUEST])
def test_a_thanks_that_line_refuses_leaves_the_vote_and_no_dead_letter(
    line: FakeLine, clerk: Clerk, store: redis.Redis, asked: Message, chat: str, fault: Fault
) -> None:
    line.go_wrong(REPLY, fault)

    act("vote 1", press(line, chat, "up"), clerk)

    assert len(Votes(store).all()) == 1
    assert said_since(line, chat) == []


def test_a_press_whose_token_is_over_counts_and_nothing_comes_late(
    line: FakeLine, clerk: Clerk, sender: LineSender, store: redis.Redis, asked: Message, chat: str
) -> None:
    act("vote 1", press(line, chat, "up", age_s=120), clerk)
    target = Target("line:next", asked.conversation_id, "ja", {**asked.reply_to, "reply_token": line.issue_token(chat)})
    sender.open(target, MemoryJournal()).finish(Reply("次の答え"))

    assert len(Votes(store).all()) == 1
    assert said_since(line, chat) == ["次の答え"]


def test_on_an_answer_that_is_forgotten_who_presses_is_told_so(
    line: FakeLine, clerk: Clerk, store: redis.Redis, asked: Message, chat: str
) -> None:
    pressed = press(line, chat, "up")
    act("deletion", Deletion("line", asked.conversation_id, asked.user_id, asked.id, time.time()), clerk)

    act("vote 1", pressed, clerk)
    act("vote 2", press(line, chat, "down"), clerk)

    assert Votes(store).all() == []
    assert said_since(line, chat) == [NOT_COUNTED, NOT_COUNTED]


def test_after_a_reset_an_old_card_counts_for_nothing(
    line: FakeLine, clerk: Clerk, store: redis.Redis, asked: Message, chat: str
) -> None:
    reply_to = {**asked.reply_to, "reply_token": line.issue_token(chat)}
    reset = Command("line", asked.conversation_id, asked.user_id, "reset", "", "ja", time.time(), reply_to)
    act("reset", reset, clerk)

    act("vote 1", press(line, chat, "up"), clerk)

    assert Votes(store).all() == []
    assert said_since(line, chat)[-1] == NOT_COUNTED


def test_a_button_of_another_chat_is_none(line: FakeLine, asked: Message, chat: str) -> None:
    elsewhere = Postback(VOTE, f"line:{OTHER_USER}", asked.id, "ja", "up")

    tapped = line_events.postback(elsewhere.data(), source(chat))

    assert translate(tapped, time.time()) is None
