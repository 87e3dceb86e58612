"""The fake Slack is as strict as Slack: a sender that passes against it has not passed for nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.web import slack_client
from tests.fakes.slack import TOKEN, FakeSlack, Fault


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def client(slack: FakeSlack) -> WebClient:
    return slack_client(TOKEN, slack.api_url)


def refusal(client: WebClient, method: str, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        client.api_call(method, json=arguments)
    return str(refused.value.response["error"])


def markdown(text: str) -> dict[str, Any]:
    return {"type": "markdown", "text": text}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C1"}, "no_text"),
        ({"text": "a"}, "invalid_arguments"),
        ({"channel": "C9", "text": "a"}, "channel_not_found"),
        ({"channel": "C1", "text": "a", "colour": "red"}, "invalid_arguments"),
        ({"channel": "C1", "text": "a", "thread_ts": "1.1"}, "thread_not_found"),
        ({"channel": "C1", "text": "a", "markdown_text": "a"}, "markdown_text_conflict"),
        ({"channel": "C1", "markdown_text": "a" * 12_001}, "msg_too_long"),
        ({"channel": "C1", "blocks": [markdown("a" * 6_001)] * 2}, "msg_too_long"),
        ({"channel": "C1", "blocks": [markdown("a")] * 51}, "invalid_blocks"),
        ({"channel": "C1", "blocks": [markdown("")]}, "invalid_blocks"),
        ({"channel": "C1", "blocks": [{"type": "context", "elements": []}]}, "invalid_blocks"),
        ({"channel": "C1", "blocks": [{"type": "markdown"}]}, "invalid_blocks"),
        ({"channel": "C1", "blocks": {"type": "markdown"}}, "invalid_blocks_format"),
    ],
)
def test_a_post_that_slack_refuses_is_refused(client: WebClient, arguments: dict[str, Any], error: str) -> None:
    assert refusal(client, "chat.postMessage", **arguments) == error


def test_a_method_that_slack_does_not_have_is_refused(client: WebClient) -> None:
    assert refusal(client, "chat.shout", text="a") == "unknown_method"


def test_a_wrong_token_is_refused(slack: FakeSlack) -> None:
    assert refusal(slack_client("xoxb-other", slack.api_url), "auth.test") == "invalid_auth"


def test_a_body_of_another_type_is_refused(slack: FakeSlack) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "text/plain"}

    assert (
        httpx.post(f"{slack.api_url}auth.test", content=b"{}", headers=headers).json()["error"] == "invalid_post_type"
    )


def test_closed_places_are_refused(slack: FakeSlack, client: WebClient) -> None:
    slack.workspace.channels["C1"].is_archived = True
    slack.workspace.channels["C2"].has_bot = False

    assert refusal(client, "chat.postMessage", channel="C1", text="a") == "is_archived"
    assert refusal(client, "chat.postMessage", channel="C2", text="a") == "not_in_channel"


def test_too_long_a_text_is_cut(slack: FakeSlack, client: WebClient) -> None:
    client.chat_postMessage(channel="C1", text="a" * 40_001)

    assert len(slack.visible("C1")[0]) == 40_000


def test_metadata_is_kept_in_full_form_and_told_when_asked(slack: FakeSlack, client: WebClient) -> None:
    root = slack.workspace.say("C1", "?")["ts"]
    full: dict[str, Any] = {"event_type": "t", "event_payload": {"a": 1}}
    given: list[dict[str, Any]] = [full, {"event_type": "t"}, {"event_payload": {}}]
    for metadata in given:
        client.chat_postMessage(channel="C1", thread_ts=root, text="a", metadata=metadata)

    asked = client.conversations_replies(channel="C1", ts=root, include_all_metadata=True)["messages"]
    not_asked = client.conversations_replies(channel="C1", ts=root)["messages"]
    assert [m.get("metadata") for m in asked] == [None, full, None, None]
    assert not any("metadata" in m for m in not_asked)


def test_a_thread_is_told_page_by_page(slack: FakeSlack, client: WebClient) -> None:
    root = slack.workspace.say("C1", "0")["ts"]
    for number in range(1, 5):
        slack.workspace.say("C1", str(number), thread_ts=root)

    pages = [page["messages"] for page in client.conversations_replies(channel="C1", ts=root, limit=2)]

    assert [[m["text"] for m in page] for page in pages] == [["0", "1"], ["2", "3"], ["4"]]


def test_a_fault_is_for_one_call(slack: FakeSlack, client: WebClient) -> None:
    slack.fail("auth.test", Fault(status=429, retry_after=3))

    with pytest.raises(SlackApiError) as limited:
        client.auth_test()
    assert limited.value.response.headers["Retry-After"] == "3"
    assert client.auth_test()["ok"]
    assert slack.workspace.calls["auth.test"] == 1


def test_as_a_process_it_writes_for_people_and_shows_what_they_see() -> None:
    command = [sys.executable, "-m", "tests.fakes.slack", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        api_url = process.stdout.readline().strip().removeprefix("SLACK_API_URL=")
        address = api_url.removesuffix("/api/")
        said = httpx.post(f"{address}/_say", json={"channel": "C1", "text": "経費は？"}).json()["envelopes"]
        root = said[0]["event"]["ts"]
        slack_client(TOKEN, api_url).chat_postMessage(channel="C1", thread_ts=root, text="25日です。")
        seen = httpx.get(f"{address}/_visible").json()
        process.terminate()

    assert [envelope["event"]["type"] for envelope in said] == ["app_mention", "message"]
    assert [(post["text"], post["thread_ts"]) for post in seen["C1"]] == [("25日です。", root)]
    assert json.dumps(seen["D1"]) == "[]"
