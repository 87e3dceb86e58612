"""The fake LINE is as strict as LINE: what it accepts in other tests is worth something."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.fakes.line import LOADING, PUSH, QUOTA, REPLY, FakeLine
from tests.fakes.line_events import GROUP, USER

HELLO = [{"type": "text", "text": "こんにちは"}]
KEY = "123e4567-e89b-12d3-a456-426614174000"


@pytest.fixture
def line() -> Iterator[FakeLine]:
    with FakeLine() as fake:
        yield fake


def post(line: FakeLine, path: str, body: Mapping[str, Any], **headers: str) -> httpx.Response:
    given = {"authorization": f"Bearer {line.access_token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return httpx.post(line.url.rstrip("/") + path, json=body, headers=given)


def reply(line: FakeLine, messages: Any, token: str | None = None, **headers: str) -> httpx.Response:
    return post(line, REPLY, {"replyToken": token or line.issue_token(USER), "messages": messages}, **headers)


def test_a_reply_token_works_once(line: FakeLine) -> None:
    token = line.issue_token(USER)

    assert reply(line, HELLO, token).status_code == 200
    again = reply(line, HELLO, token)
    assert (again.status_code, again.json()["message"]) == (400, "Invalid reply token")
    assert line.visible(USER) == ["こんにちは"]


def test_a_reply_token_ends_after_its_life(line: FakeLine) -> None:
    now = 1000.0
    line.clock = lambda: now
    token = line.issue_token(USER)
    now += 61

    assert reply(line, HELLO, token).json()["message"] == "Invalid reply token"


@pytest.mark.parametrize(
    "messages",
    [
        [],
        HELLO * 6,
        [{"type": "text", "text": ""}],
        [{"type": "text", "text": "😀" * 2_501}],
        [{"type": "text"}],
        [{"type": "markdown", "text": "x"}],
        [{"type": "text", "text": "x", "color": "red"}],
        [{"type": "template", "altText": "x", "template": {"type": "buttons", "text": "x" * 161, "actions": []}}],
        "x",
    ],
    ids=lambda messages: repr(messages)[:40],
)
def test_a_refused_message_is_not_shown_and_leaves_the_token(line: FakeLine, messages: Any) -> None:
    token = line.issue_token(USER)

    assert reply(line, messages, token).status_code == 400
    assert reply(line, HELLO, token).status_code == 200
    assert line.visible(USER) == ["こんにちは"]


def test_a_retry_key_is_for_pushes_only(line: FakeLine) -> None:
    assert reply(line, HELLO, x_line_retry_key=KEY).status_code == 400


def test_a_push_with_a_known_retry_key_is_a_409_and_shown_once(line: FakeLine) -> None:
    body = {"to": GROUP, "messages": HELLO}

    answers = [post(line, PUSH, body, x_line_retry_key=KEY) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[1].headers["x-line-accepted-request-id"]
    assert line.visible(GROUP) == ["こんにちは"]


def test_a_retry_key_is_a_uuid(line: FakeLine) -> None:
    assert post(line, PUSH, {"to": USER, "messages": HELLO}, x_line_retry_key="42").status_code == 400


def test_pushes_are_counted_and_end_with_the_months_limit(line: FakeLine) -> None:
    line.monthly_limit = 1
    answers = [post(line, PUSH, {"to": USER, "messages": HELLO}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["message"] == "You have reached your monthly limit."


@pytest.mark.parametrize(
    ("chat", "seconds", "status"), [(USER, 60, 202), (GROUP, 60, 400), (USER, 7, 400), (USER, 65, 400)]
)
def test_the_loading_animation_is_for_people_and_in_steps_of_five(
    line: FakeLine, chat: str, seconds: int, status: int
) -> None:
    assert post(line, LOADING, {"chatId": chat, "loadingSeconds": seconds}).status_code == status


@pytest.mark.parametrize("path", [REPLY, PUSH, LOADING])
def test_no_call_works_without_the_access_token(line: FakeLine, path: str) -> None:
    assert post(line, path, {}, authorization="Bearer other").status_code == 401


def test_there_is_nothing_else(line: FakeLine) -> None:
    assert post(line, "/v2/bot/message/multicast", {}).status_code == 404
    authorised = {"authorization": f"Bearer {line.access_token}"}
    assert httpx.get(line.url + "v2/bot/nothing", headers=authorised).status_code == 404
    assert httpx.get(line.url + "v2/bot/nothing").status_code == 401
    assert httpx.get(line.url.rstrip("/") + QUOTA).status_code == 401


def test_it_can_be_run_by_hand() -> None:
    command = [sys.executable, "-m", "tests.fakes.line", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        token = httpx.post(f"{url}_issue?chat={USER}").json()["replyToken"]
        body = {"replyToken": token, "messages": HELLO}
        httpx.post(url + REPLY[1:], json=body, headers={"authorization": "Bearer line-access-token"}).raise_for_status()
        visible = httpx.get(url + "_visible").json()
        process.terminate()

    assert visible == {USER: ["こんにちは"]}
