"""Every call to LINE is logged with the id that LINE gave it, also one that LINE refused."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from linebot.v3.messaging import TextMessage

from bot.calls import Calls
from bot.errors import DeliveryError
from bot.line.api import LineApi
from tests.fakes.line import LOADING, PUSH, FakeLine, Fault
from tests.fakes.line_events import USER
from tests.fakes.line_profiles import FakeProfiles

KEY = "9a2f6a0e-4d0b-4c57-8a92-0f1c3f8c5b11"


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, int]]:
    """Of every call that was logged: its path, the status, and how long LINE's id is."""
    records = [record.__dict__ for record in caplog.records if record.message == "called LINE"]
    return [(record["path"], record["status"], len(record["line_request_id"])) for record in records]


@pytest.fixture
def api(line: FakeLine) -> LineApi:
    return LineApi(line.url, line.access_token, Calls(), 0.3)


def test_a_call_that_was_taken(line: FakeLine, api: LineApi, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        api.reply(line.issue_token(USER), [TextMessage(text="はい")])

    assert said(caplog) == [("/v2/bot/message/reply", 200, 32)]


CALLS: dict[str, tuple[Callable[[LineApi], object], tuple[str, int]]] = {
    "a token that is gone": (
        lambda api: api.reply("gone", [TextMessage(text="はい")]),
        ("/v2/bot/message/reply", 400),
    ),
    "a chat that is none": (
        lambda api: api.push("U1", [TextMessage(text="はい")], KEY),
        ("/v2/bot/message/push", 400),
    ),
    "nobody's profile": (lambda api: api.get(f"/v2/bot/profile/{USER}"), ("/v2/bot/profile/*", 404)),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_was_refused(line: FakeLine, api: LineApi, caplog: pytest.LogCaptureFixture, name: str) -> None:
    line.further.append(FakeProfiles())
    call, (path, status) = CALLS[name]
    with caplog.at_level(logging.INFO), pytest.raises(DeliveryError):
        call(api)

    assert said(caplog) == [(path, status, 32)]


@pytest.mark.parametrize(("fault", "status"), [(Fault.RATE_LIMITED, 429), (Fault.SERVER_ERROR, 500)])
def test_a_call_that_went_wrong(
    line: FakeLine, api: LineApi, caplog: pytest.LogCaptureFixture, fault: Fault, status: int
) -> None:
    line.go_wrong(LOADING, fault)
    with caplog.at_level(logging.INFO), pytest.raises(DeliveryError):
        api.show_loading(USER, 20)

    assert said(caplog) == [("/v2/bot/chat/loading/start", status, 32)]


def test_a_call_that_was_accepted_before(line: FakeLine, api: LineApi, caplog: pytest.LogCaptureFixture) -> None:
    line.go_wrong(PUSH, Fault.RESET_AFTER_ACCEPTING)
    with pytest.raises(DeliveryError):
        api.push(USER, [TextMessage(text="はい")], KEY)
    with caplog.at_level(logging.INFO):
        api.push(USER, [TextMessage(text="はい")], KEY)

    assert said(caplog) == [("/v2/bot/message/push", 409, 32)]


def test_a_token_of_another_channel(line: FakeLine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(DeliveryError):
        LineApi(line.url, "another", Calls(), 0.3).show_loading(USER, 20)

    assert said(caplog) == [("/v2/bot/chat/loading/start", 401, 32)]


def test_no_id_of_a_person_is_in_the_log(line: FakeLine, api: LineApi, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        api.show_loading(USER, 20)

    assert not any(USER in str(record.__dict__) for record in caplog.records)
