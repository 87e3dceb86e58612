"""`/madoguchi`: durable before it is acknowledged, for administrators only; their words in a direct message as well."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from bot.inbox import Inbox
from bot.messages import Command, Message
from bot.platform import WebhookRequest, WebhookResponse
from bot.slack.events import parse
from bot.slack.front_door import NOT_ADMIN, TAKEN, SlackFrontDoor
from bot.store import connect
from tests.fakes.slack_events import BOT_USER, app_mention, form_of, message_im, sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
ADMINS = frozenset({"slack:U1"})
FORM = "application/x-www-form-urlencoded"
GIVEN = {
    "command": "/madoguchi",
    "team_id": "T1",
    "channel_id": "C1",
    "user_id": "U1",
    "text": "reindex",
    "trigger_id": "1.2.3",
}


class NoHints:
    def answer(self, conversation_id: str) -> None: ...

    def act(self, control_id: str) -> None: ...


@pytest.fixture
def door(store: redis.Redis) -> SlackFrontDoor:
    return SlackFrontDoor(SECRET, Inbox(store, NoHints()), ADMINS)


def give(door: SlackFrontDoor, **fields: str) -> WebhookResponse:
    body = form_of(**GIVEN | fields)
    return door.handle(WebhookRequest(sign(SECRET, body, content_type=FORM), body))


def taken(store: redis.Redis) -> list[Command]:
    return [Command.from_json(stored) for stored in store.hvals("controls")]


def test_it_is_durable_and_its_giver_alone_is_told(door: SlackFrontDoor, store: redis.Redis) -> None:
    answered = give(door)

    assert (answered.status, answered.media_type) == (200, "application/json")
    assert json.loads(answered.body) == {"response_type": "ephemeral", "text": TAKEN}
    (command,) = taken(store)
    assert (command.name, command.argument, command.user_id) == ("admin", "reindex", "slack:U1")
    assert command.reply_to["channel"] == "U1"  # not the channel, where the names of skipped files would be read


def test_who_is_no_administrator_is_told_so_and_nothing_is_taken_in(door: SlackFrontDoor, store: redis.Redis) -> None:
    answered = give(door, user_id="U2")

    assert json.loads(answered.body) == {"response_type": "ephemeral", "text": NOT_ADMIN}
    assert taken(store) == []


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("再インデックス", "reindex"),
        ("状態", "status"),
        ("戻す", "rollback"),
        ("資料一覧", "sources"),
        ("中止", "cancel"),
        ("cancel", "cancel"),
        (" REINDEX  --accept ", "reindex accept"),
        ("再インデックス　試すだけ", "reindex dry-run"),
        ("reindex allow-empty accept accept", "reindex accept allow-empty"),
        ("", "help"),
        ("reindex everything", "help"),
        ("経費の締め日は？", "help"),
        ("x" * 100_000, "help"),
    ],
)
def test_its_words_are_orders_and_anything_else_asks_for_help(
    door: SlackFrontDoor, store: redis.Redis, text: str, order: str
) -> None:
    assert give(door, text=text).status == 200

    assert [command.argument for command in taken(store)] == [order]


def test_the_same_delivery_is_one_order(door: SlackFrontDoor, store: redis.Redis) -> None:
    give(door)
    give(door)

    assert len(taken(store)) == 1


def test_with_the_store_down_it_is_not_acknowledged() -> None:
    door = SlackFrontDoor(SECRET, Inbox(connect("unix:///nowhere/store.sock"), NoHints()), ADMINS)

    assert give(door).status == 503


@pytest.mark.parametrize(
    "odd", [{"trigger_id": ""}, {"user_id": ""}, {"team_id": "T 1"}, {"user_id": "<@U1>"}, {"trigger_id": "1" * 200}]
)
def test_a_form_of_no_shape_that_slack_sends_is_a_400(
    door: SlackFrontDoor, store: redis.Redis, odd: dict[str, str]
) -> None:
    assert give(door, **odd).status == 400
    assert taken(store) == []


def test_without_a_signature_it_is_nobodys(door: SlackFrontDoor, store: redis.Redis) -> None:
    body = form_of(**GIVEN)

    assert door.handle(WebhookRequest({"content-type": FORM}, body)).status == 401
    assert taken(store) == []


def test_another_command_is_none_of_ours(door: SlackFrontDoor, store: redis.Redis) -> None:
    assert give(door, command="/other").body == ""
    assert taken(store) == []


def said(envelope: dict[str, Any]) -> str:
    """What an envelope is taken for."""
    delivery = parse(envelope, ADMINS)
    assert delivery is not None
    event = delivery.event
    return f"{event.name} {event.argument}".strip() if isinstance(event, Command) else type(event).__name__


@pytest.mark.parametrize(
    ("text", "user", "taken_for"),
    [
        ("再インデックス", "U1", "admin reindex"),
        ("状態", "U1", "admin status"),
        ("reindex --accept", "U1", "admin reindex accept"),
        ("状態", "U2", "Message"),
        ("reindex", "U2", "admin reindex"),  # to be told that they may not
        ("reindexの手順は？", "U1", "Message"),
        ("cancel", "U1", "stop"),
        ("help", "U1", "help"),
    ],
)
def test_in_a_direct_message_an_administrators_words_are_orders(text: str, user: str, taken_for: str) -> None:
    assert said(message_im(text, user=user)) == taken_for


def test_in_a_channel_they_are_words_like_any_other() -> None:
    assert said(app_mention(f"<@{BOT_USER}> 再インデックス", user="U1")) == Message.__name__
