"""In the fake Slack messages grow, end and are counted as strictly as in Slack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.web import slack_client
from tests.bot.test_slack_fake import refusal
from tests.fakes.slack import TOKEN, FakeSlack

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def client(slack: FakeSlack) -> WebClient:
    return slack_client(TOKEN, slack.api_url)


@pytest.fixture
def thread(slack: FakeSlack) -> dict[str, Any]:
    ts = slack.workspace.say("C1", "?")["ts"]
    return {"channel": "C1", "thread_ts": ts, "recipient_team_id": "T", "recipient_user_id": "U1"}


@pytest.fixture
def grows(client: WebClient, thread: dict[str, Any]) -> dict[str, Any]:
    started = client.chat_startStream(**thread, markdown_text="**25日**")
    return {"channel": "C1", "ts": started["ts"]}


@pytest.mark.parametrize(
    ("without", "error"),
    [
        ("thread_ts", "invalid_arguments"),
        ("recipient_team_id", "missing_recipient_team_id"),
        ("recipient_user_id", "missing_recipient_user_id"),
    ],
)
def test_in_a_channel_a_stream_needs_its_thread_and_its_reader(
    client: WebClient, thread: dict[str, Any], without: str, error: str
) -> None:
    assert refusal(client, START, **{name: value for name, value in thread.items() if name != without}) == error


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"metadata": {"event_type": "t", "event_payload": {}}}, "invalid_arguments"),
        ({"markdown_text": "a" * 12_001}, "msg_too_long"),
        ({"markdown_text": "a", "chunks": [{"type": "markdown_text", "text": "a"}]}, "markdown_text_conflict"),
        ({"chunks": [{"type": "shout"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "blocks", "blocks": [{"type": "actions", "elements": []}]}]}, "invalid_blocks"),
        ({"thread_ts": "1.1"}, "thread_not_found"),
        ({"recipient_user_id": "U99"}, "user_not_found"),
    ],
)
def test_a_stream_that_slack_does_not_begin_is_refused(
    client: WebClient, thread: dict[str, Any], given: dict[str, Any], error: str
) -> None:
    assert refusal(client, START, **thread | given) == error


def test_where_nothing_can_grow_it_is_refused(slack: FakeSlack, client: WebClient, thread: dict[str, Any]) -> None:
    slack.workspace.channels["C1"].streams = False

    assert refusal(client, START, **thread) == "channel_type_not_supported"


def test_what_grows_can_be_neither_changed_nor_deleted(client: WebClient, grows: dict[str, Any]) -> None:
    assert refusal(client, "chat.update", **grows, text="a") == "streaming_state_conflict"
    assert refusal(client, "chat.delete", **grows) == "cant_delete_message"


def test_a_person_sees_what_is_half(slack: FakeSlack, client: WebClient, grows: dict[str, Any]) -> None:
    client.chat_appendStream(**grows, markdown_text="です。")
    assert slack.visible("C1") == ["**25日**です。\n[growing]"]

    slack.workspace.streams.later_s = 301
    assert slack.visible("C1") == ["**25日**です。\n[cut off]"]


def test_what_has_ended_grows_no_more(client: WebClient, grows: dict[str, Any]) -> None:
    client.chat_stopStream(**grows, markdown_text="です。", blocks=[{"type": "divider"}])

    assert refusal(client, APPEND, **grows, markdown_text="a") == "message_not_in_streaming_state"
    assert refusal(client, STOP, **grows) == "message_not_in_streaming_state"


def test_a_stream_lives_five_minutes_whatever_is_appended(
    slack: FakeSlack, client: WebClient, grows: dict[str, Any]
) -> None:
    slack.workspace.streams.later_s = 299
    client.chat_appendStream(**grows, markdown_text="a")

    slack.workspace.streams.later_s = 301
    assert refusal(client, APPEND, **grows, markdown_text="a") == "message_not_in_streaming_state"


def test_a_person_stops_it(slack: FakeSlack, client: WebClient, grows: dict[str, Any]) -> None:
    slack.workspace.stop_stream("C1", grows["ts"])

    assert refusal(client, APPEND, **grows, markdown_text="a") == "stopped_by_user"


def test_a_thread_tells_of_each_message_whether_it_grows_and_its_mark_when_it_has_ended(
    client: WebClient, thread: dict[str, Any], grows: dict[str, Any]
) -> None:
    def told() -> dict[str, Any]:
        page = client.conversations_replies(channel="C1", ts=thread["thread_ts"], include_all_metadata=True)
        return dict(page["messages"][-1])

    growing = told()
    client.chat_stopStream(**grows, metadata={"event_type": "t", "event_payload": {"a": 1}})

    assert (growing["text"], growing["streaming_state"]) == ("*25日*", "in_progress")
    assert "metadata" not in growing
    assert (told()["streaming_state"], told()["metadata"]["event_payload"]) == ("completed", {"a": 1})


def test_its_limits_are_off_until_they_are_wanted_and_then_those_of_the_tiers(
    slack: FakeSlack, client: WebClient, thread: dict[str, Any]
) -> None:
    for _ in range(25):
        client.chat_startStream(**thread)
    slack.tiers.on = True
    for _ in range(20):
        client.chat_startStream(**thread)

    with pytest.raises(SlackApiError) as limited:
        client.chat_startStream(**thread)
    assert limited.value.response.status_code == 429
    assert 1 <= int(limited.value.response.headers["Retry-After"]) <= 60
