"""An administrator's words on LINE are orders in a 1:1 chat, and words like any other in a group."""

from __future__ import annotations

import time

import pytest

from bot.line.calling import Listening
from bot.line.events import Ours, translate
from bot.messages import Command, Message
from tests.fakes import line_events
from tests.fakes.line_events import OTHER_USER, USER

ADMINS = Listening(admins=frozenset({f"line:{USER}"}))


def taken_for(event: dict[str, object]) -> str:
    ours: Ours | None = translate(event, time.time(), ADMINS)
    return f"{ours.name} {ours.argument}".strip() if isinstance(ours, Command) else type(ours).__name__


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ("再インデックス", "admin reindex"),
        ("再インデックス　受け入れる", "admin reindex accept"),
        ("状態", "admin status"),
        ("戻す", "admin rollback"),
        ("資料一覧", "admin sources"),
        ("中止", "admin cancel"),
        ("Reindex.", "admin reindex"),
        ("状態を教えて", "Message"),
    ],
)
def test_in_a_chat_of_two_they_are_orders(words: str, order: str) -> None:
    assert taken_for(line_events.text(words)) == order


def test_the_order_can_be_answered_for_free() -> None:
    order = translate(line_events.text("状態", reply_token="t" * 32), time.time(), ADMINS)

    assert isinstance(order, Command)
    assert order.reply_to["reply_token"] == "t" * 32


def test_in_a_group_they_are_words_like_any_other() -> None:
    assert (
        taken_for(line_events.mentioning("@Mado 再インデックス", "@Mado", line_events.group(USER))) == Message.__name__
    )


@pytest.mark.parametrize(("words", "order"), [("状態", "Message"), ("中止", "Message"), ("戻す", "admin rollback")])
def test_who_is_no_administrator_gives_orders_only_to_be_told_that_they_may_not(words: str, order: str) -> None:
    assert taken_for(line_events.text(words, line_events.user(OTHER_USER))) == order
