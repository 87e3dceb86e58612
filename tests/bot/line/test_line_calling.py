"""In a group the bot hears who calls it: by a mention, by a call word, by quoting what it has shown."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis

from bot.errors import StoreUnavailable
from bot.line.calling import CallWords, Listening
from bot.line.events import translate
from bot.line.sent import SentMessages
from bot.messages import Command, Edit, Message
from bot.store import connect
from tests.fakes import line_events

NOW = 1_795_564_860.0
WORDS = CallWords.listed("窓口, まどぐち,マドグチ,Desk")
LISTENING = Listening(WORDS)
GROUP = f"line:{line_events.GROUP}"


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("窓口、締め日は？", "締め日は？"),
        ("窓口 締め日は？", "締め日は？"),
        ("窓口　締め日は？", "締め日は？"),
        ("窓口\n締め日は？", "締め日は？"),
        ("窓口！締め日は？", "締め日は？"),
        ("窓口: 締め日は？", "締め日は？"),
        ("窓口：締め日は？", "締め日は？"),
        ("窓口，締め日は？", "締め日は？"),
        ("窓口……締め日は？", "締め日は？"),
        ("  窓口、締め日は？", "締め日は？"),
        ("@窓口 締め日は？", "締め日は？"),
        ("＠窓口 締め日は？", "締め日は？"),
        ("窓口さん、締め日は？", "締め日は？"),
        ("窓口さん 締め日は？", "締め日は？"),
        ("窓口ちゃん、締め日は？", "締め日は？"),
        ("窓口様。締め日を教えてください", "締め日を教えてください"),
        ("まどぐち、締め日は？", "締め日は？"),
        ("ﾏﾄﾞｸﾞﾁ､締め日は?", "締め日は?"),
        ("desk, when are expenses due?", "when are expenses due?"),
        ("DESK: when?", "when?"),
        ("ｄｅｓｋ when?", "when?"),
        ("Desk-san, when?", "when?"),
        ("desk. When?", "When?"),
        ("窓口", ""),
        ("窓口！", ""),
        ("窓口さん", ""),
        ("Desk.", ""),
        ("窓口はどこ？", None),
        ("窓口？", None),
        ("窓口業務の時間は？", None),
        ("窓口の電話番号は？", None),
        ("窓口さんが来ました", None),
        ("駅の窓口、混んでるよ", None),
        ("ねえ、窓口", None),
        ("お昼は？", None),
        ("まど", None),
        ("desktop, please", None),
        ("desk.txt", None),
        ("help desk, please", None),
        ("desk's open", None),
        ("", None),
        ("、", None),
        ("@", None),
    ],
)
def test_a_call_word_calls_at_the_beginning_as_one_calls_a_person(said: str, asked: str | None) -> None:
    assert WORDS.cut(said) == asked


def test_a_comma_alone_names_no_call_word() -> None:
    assert CallWords.listed(",").words == ()
    assert CallWords.listed(",").cut("、締め日は？") is None


def test_a_call_word_with_what_a_pattern_would_read_is_a_word_like_any_other() -> None:
    assert CallWords.listed("(.*").cut("(.*、締め日は？") == "締め日は？"
    assert CallWords.listed("(.*").cut("窓口、締め日は？") is None


def test_a_very_long_text_is_looked_through_at_once() -> None:
    began = time.monotonic()

    assert WORDS.cut("窓口" * 100_000) is None
    assert WORDS.cut("窓口" + " " * 100_000 + "？") == "？"
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("said", ["窓口", "窓口さん！", "@窓口"])
def test_a_call_alone_asks_for_help_in_a_language_that_it_does_not_tell(said: str) -> None:
    command = translate(line_events.text(said, line_events.group(), sent_at=NOW), NOW, LISTENING)

    assert isinstance(command, Command)
    assert (command.name, command.language) == ("help", "")


def test_an_order_behind_a_call_word_is_an_order() -> None:
    command = translate(line_events.text("窓口、リセット", line_events.group(), sent_at=NOW), NOW, LISTENING)

    assert isinstance(command, Command)
    assert command.name == "reset"


def test_in_a_1_to_1_chat_the_word_is_part_of_what_is_said() -> None:
    message = translate(line_events.text("窓口、締め日は？", sent_at=NOW), NOW, LISTENING)

    assert isinstance(message, Message)
    assert message.text == "窓口、締め日は？"


def test_an_edited_text_is_remembered_without_the_call() -> None:
    edit = translate(line_events.edited("1", "窓口、締め日はいつ？"), time.time(), LISTENING)

    assert isinstance(edit, Edit)
    assert edit.text == "締め日はいつ？"


def quoting(message_id: Any, where: dict[str, str] | None = None) -> dict[str, Any]:
    return line_events.text("もう少し詳しく", where or line_events.group(), quotedMessageId=message_id)


def test_who_quotes_what_the_bot_has_shown_there_speaks_to_it(store: redis.Redis) -> None:
    sent = SentMessages(store)
    sent.note(["901"], GROUP)

    message = translate(quoting("901"), time.time(), Listening(is_ours=sent.ours))

    assert isinstance(message, Message)
    assert message.text == "もう少し詳しく"


@pytest.mark.parametrize("quoted", ["902", "", "9" * 401, "窓口", None, 901, ["901"]])
def test_who_quotes_anything_else_does_not(store: redis.Redis, quoted: Any) -> None:
    sent = SentMessages(store)
    sent.note(["901"], GROUP)

    assert translate(quoting(quoted), time.time(), Listening(is_ours=sent.ours)) is None


def test_what_it_has_shown_elsewhere_is_not_its_message_here(store: redis.Redis) -> None:
    sent = SentMessages(store)
    sent.note(["901"], GROUP)

    assert translate(quoting("901", line_events.room()), time.time(), Listening(is_ours=sent.ours)) is None


def test_that_a_quote_cannot_be_looked_up_is_no_word_that_it_is_not_ours() -> None:
    nowhere = SentMessages(connect("unix:///nowhere/store.sock"))

    with pytest.raises(StoreUnavailable):
        translate(quoting("901"), time.time(), Listening(is_ours=nowhere.ours))


def mention(index: Any, length: Any, **told: Any) -> dict[str, Any]:
    return {"index": index, "length": length, "type": "user", "isSelf": True, **told}


@pytest.mark.parametrize(
    ("said", "mentions", "asked"),
    [
        ("@窓口 締め日は？", [mention(0, 3)], "締め日は？"),
        ("締め日は？ @窓口", [mention(6, 3)], "締め日は？"),
        ("😀@窓口 締め日は？", [mention(2, 3)], "😀 締め日は？"),
        ("@窓口 締め日は？ @窓口", [mention(10, 3), mention(0, 3)], "締め日は？"),
        ("@窓口 締め日は？", [mention(0, 3), mention(0, 3)], "締め日は？"),
        ("@窓口 締め日は？", [mention(0, 2), mention(1, 2)], "締め日は？"),
        ("@窓口 締め日は？", [mention(1, 2), mention(0, 4)], "締め日は？"),
        ("@窓口 締め日は？", [mention(0, 3), mention(1, 1)], "締め日は？"),
        ("@窓口 締め日は？", [mention(-1, 3)], "@窓口 締め日は？"),
        ("@窓口 締め日は？", [mention(99, 3)], "@窓口 締め日は？"),
        ("締め日は？@窓口", [mention(5, 99)], "締め日は？"),
        ("締め日は？@窓口", [mention(5, 10**30)], "締め日は？"),
        ("@窓口 締め日は？", [mention(-3, 3)], "@窓口 締め日は？"),
        ("@窓口 締め日は？", [mention(0, -3)], "@窓口 締め日は？"),
        ("@窓口 締め日は？", [mention("0", 3)], "@窓口 締め日は？"),
        ("@窓口 締め日は？", [mention(0, True)], "@窓口 締め日は？"),
        ("@窓口 締め日は？", [mention(None, None), None, 3, []], "@窓口 締め日は？"),
        ("😀締め日は？", [mention(1, 1)], "\ufffd締め日は？"),
        ("@田中 @窓口 締め日は？", [{**mention(0, 3), "isSelf": False}, mention(4, 3)], "@田中  締め日は？"),
    ],
)
def test_mentions_of_the_bot_are_cut_wherever_they_claim_to_be(said: str, mentions: list[Any], asked: str) -> None:
    event = line_events.text(said, line_events.group(), sent_at=NOW, mention={"mentionees": mentions})

    message = translate(event, NOW)

    assert isinstance(message, Message)
    assert message.text == asked


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        "x",
        {},
        {"mentionees": None},
        {"mentionees": {}},
        {"mentionees": [{**mention(0, 3), "isSelf": "true"}]},
    ],
)
def test_what_does_not_say_that_it_is_the_bot_calls_nobody(told: Any) -> None:
    event = line_events.text("@窓口 締め日は？", line_events.group(), sent_at=NOW, mention=told)

    assert translate(event, NOW) is None


def test_ten_thousand_mentions_are_cut_at_once() -> None:
    began = time.monotonic()
    event = line_events.text("@窓口" * 1_600, line_events.group(), sent_at=NOW)
    event["message"]["mention"] = {"mentionees": [mention(3 * number, 3) for number in range(10_000)]}

    assert isinstance(translate(event, NOW), Command)
    assert time.monotonic() - began < 1
