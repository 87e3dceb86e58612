"""What is kept for a token leaves no copy behind, and nothing of it comes back once it was erased or withdrawn."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import redis

from bot.errors import DeliveryError
from bot.journal import UnlockedJournal
from bot.line.collecting import hand_over
from bot.line.reply import NOTICE_BEFORE_S
from bot.line.sender import LineSender
from bot.messages import Reply
from bot.platform import Target
from tests.bot.line.sending import CONVERSATION, DiesAt, Killed, MemoryJournal, kept, long_answer, make_sender, press
from tests.fakes.line import REPLY, FakeLine
from tests.fakes.line_events import USER

WORDS = "秘密の回答です。"


@pytest.fixture
def late(sender: LineSender, asked: Any) -> Target:
    """A question whose answer is kept."""
    target: Target = asked(age_s=100)
    assert sender.open(target, MemoryJournal()).finish(Reply(WORDS)).kept
    return target


def copies(store: redis.Redis) -> list[str]:
    """The journals in the store that hold the words."""
    journals = {key: store.hgetall(key) for key in store.scan_iter("*") if store.type(key) == "hash"}
    return [key for key, facts in journals.items() if WORDS in str([json.loads(fact) for fact in facts.values()])]


def test_a_confirmation_that_carried_an_answer_keeps_no_copy_of_it(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any, late: Target
) -> None:
    order = asked()
    journal = UnlockedJournal(store, "journal:c1", 86_400)
    sender.confirm(Target("c1", order.conversation_id, "ja", order.reply_to), "ヘルプです", journal)

    assert WORDS in "".join(line.visible(USER))
    assert copies(store) == []


def test_a_reply_that_line_refused_keeps_no_copy_of_another_answer(
    line: FakeLine, store: redis.Redis, asked: Any, late: Target
) -> None:
    journal = MemoryJournal()
    with pytest.raises(DeliveryError):
        make_sender(line, store, token="wrong").open(asked(), journal).finish(Reply("別の回答"))

    assert WORDS not in str(journal.facts)
    assert [answer.parts for answer in kept(store)] == [[WORDS]]


def while_line_answers(line: FakeLine, happens: Any) -> None:
    """Let something happen between LINE's taking a reply and our knowing of it."""
    accept = line.accept

    def and_then(call: Any) -> Any:
        answer = accept(call)
        if call.path == REPLY:
            happens()
        return answer

    line.accept = and_then  # type: ignore[method-assign]


def test_what_is_erased_while_line_answers_does_not_come_back(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    long: Target = asked(age_s=100)
    sender.open(long, MemoryJournal()).finish(long_answer(8))
    while_line_answers(line, lambda: sender.erase(CONVERSATION, message_ids=[long.message_id]))

    assert hand_over(asked().reply_to, CONVERSATION, sender._ways)

    assert kept(store) == []


def test_what_is_withdrawn_while_line_answers_is_not_spoken_of_again(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any, late: Target
) -> None:
    while_line_answers(line, lambda: sender.withdraw(CONVERSATION, late.message_id))

    assert hand_over(asked().reply_to, CONVERSATION, sender._ways)

    assert kept(store) == []


def test_an_answer_that_was_handed_over_is_not_kept_again_by_who_goes_on(
    sender: LineSender, line: FakeLine, asked: Any
) -> None:
    target, journal = asked(), DiesAt("outcome", "kept")
    stream = sender.open(target, journal)
    stream.due(target.reply_to["expires_at"] - NOTICE_BEFORE_S + 1)
    with pytest.raises(Killed):
        stream.finish(Reply(WORDS))
    press(sender, line)

    sender.open(target, journal).finish(Reply(WORDS))
    press(sender, line)

    assert "".join(line.visible(USER)).count(WORDS) == 1


def test_a_documents_words_are_shown_once_whoever_spends_the_taps(
    sender: LineSender, line: FakeLine, asked: Any
) -> None:
    target, journal = asked(), MemoryJournal()
    worker, clerk, another = (sender.open(target, journal) for _ in range(3))
    worker.preview(Reply(WORDS))
    worker.due(target.reply_to["expires_at"] - NOTICE_BEFORE_S + 1)
    another.preview(Reply(WORDS))
    for stream in (clerk, another):
        press(sender, line, asked_for="coming")
        for _ in range(2):
            stream.due(time.time() + 55)

    assert line.visible(USER).count(WORDS) == 1
