"""Signs of life, who the readers are, and what is logged."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from bot.line.sender import LineSender
from tests.bot.line.sending import (
    ANSWER,
    SHOWN,
    MemoryJournal,
    make_sender,
)
from tests.fakes import line_events
from tests.fakes.line import LOADING, FakeLine, Fault
from tests.fakes.line_events import GROUP, USER


def test_waiting_shows_the_loading_animation_in_a_1_to_1_chat(sender: LineSender, line: FakeLine, asked: Any) -> None:
    stream = sender.open(asked(), MemoryJournal())
    stream.waiting("モデルを読み込んでいます")
    stream.waiting("モデルを読み込んでいます")

    assert [call.body for call in line.calls_of(LOADING)] == [{"chatId": USER, "loadingSeconds": 60}]


def test_a_group_has_no_loading_animation(sender: LineSender, line: FakeLine, asked: Any) -> None:
    sender.open(asked(line_events.group()), MemoryJournal()).waiting("…")

    assert line.calls == []


def test_a_loading_animation_that_fails_harms_nothing(sender: LineSender, line: FakeLine, asked: Any) -> None:
    line.go_wrong(LOADING, Fault.SERVER_ERROR)
    stream = sender.open(asked(), MemoryJournal())

    stream.waiting("…")
    stream.update("締め日は")
    stream.finish(ANSWER)

    assert line.visible(USER) == [SHOWN]


def test_in_a_group_the_groups_audience_counts(line: FakeLine, store: redis.Redis, sender: LineSender) -> None:
    person, place = {"chat_id": USER, "user_id": USER}, {"chat_id": GROUP, "user_id": USER}
    everybody = make_sender(line, store, access="open")

    assert sender.audience(person) == {"public", "members", f"line:{USER}"}
    assert sender.audience(place) == {"public", "members", f"line:{GROUP}"}
    assert everybody.audience(person) == {"public", f"line:{USER}"}


def test_logs_have_lines_request_id_and_no_word_of_the_answer(
    sender: LineSender, asked: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot")

    sender.open(asked(), MemoryJournal()).finish(ANSWER)

    called, *_ = [record for record in caplog.records if record.message == "called LINE"]
    assert len(called.__dict__["line_request_id"]) == 32
    assert not any("20日" in str(record.__dict__) for record in caplog.records)
