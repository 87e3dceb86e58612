"""`/madoguchi`: a question of anybody, an order of who may give it, or help; durable before it is acknowledged."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from bot.errors import DeliveryFailed
from bot.inbox import Inbox
from bot.messages import Command, Message
from bot.places import Place, Places
from bot.platform import WebhookRequest, WebhookResponse
from bot.slack.events import parse
from bot.slack.front_door import SlackFrontDoor
from bot.slack.response_urls import ResponseUrls
from bot.slack.slash import ADMIN_HELP, HELP, NOT_ADMIN, NOT_ALLOWED, TAKEN, TAKEN_ORDER
from bot.slack.web import slack_client
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
    "response_url": "https://hooks.slack.com/commands/T1/1/x",
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


def asked(store: redis.Redis, conversation: str = "slack:T1:C1:/U1") -> list[Message]:
    return [Message.from_json(stored) for stored in store.hvals(f"messages:{conversation}")]


def told(answered: WebhookResponse) -> str:
    """What the giver reads at once, and nobody else."""
    assert (answered.status, answered.media_type) == (200, "application/json")
    said = json.loads(answered.body)
    assert said["response_type"] == "ephemeral"
    return str(said["text"])


def test_an_order_is_durable_and_its_giver_alone_is_told(door: SlackFrontDoor, store: redis.Redis) -> None:
    assert told(give(door)) == TAKEN_ORDER

    (command,) = taken(store)
    assert (command.name, command.argument, command.user_id) == ("admin", "reindex", "slack:U1")
    assert command.reply_to["channel"] == "U1"  # not the channel, where the names of skipped files would be read


@pytest.mark.parametrize("order", ["reindex", "状態", "再インデックス 受け入れる", "sources"])
def test_who_is_no_administrator_is_told_so_and_nothing_is_taken_in(
    door: SlackFrontDoor, store: redis.Redis, order: str
) -> None:
    assert told(give(door, user_id="U2", text=order)) == NOT_ADMIN

    assert taken(store) == []
    assert asked(store, "slack:T1:C1:/U2") == []


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
        ("help", "help"),
    ],
)
def test_an_administrators_words_are_orders(door: SlackFrontDoor, store: redis.Redis, text: str, order: str) -> None:
    assert give(door, text=text).status == 200

    assert [command.argument for command in taken(store)] == [order]
    assert asked(store) == []


@pytest.mark.parametrize("user", ["U1", "U2"])
@pytest.mark.parametrize("text", ["経費の締め日は？", "reindex everything", "Where is <#C9|finance>?", "x" * 7_000])
def test_anything_else_is_a_question_in_a_conversation_of_its_own(
    door: SlackFrontDoor, store: redis.Redis, text: str, user: str
) -> None:
    assert told(give(door, text=text, user_id=user)) in TAKEN.values()

    (message,) = asked(store, f"slack:T1:C1:/{user}")
    assert message.id == f"slack:T1:C1:/{user}:1.2.3"
    assert message.user_id == f"slack:{user}"
    assert message.text == text.replace("<#C9|finance>", "#finance")
    assert message.reply_to == {
        "team": "T1",
        "channel": "C1",
        "channel_type": "channel",
        "ext_shared": True,
        "private": True,
        "response_url": GIVEN["response_url"],
        "thread_ts": "",
        "ts": "",
        "user": user,
    }
    assert taken(store) == []


def test_a_question_beyond_the_longest_is_cut(door: SlackFrontDoor, store: redis.Redis) -> None:
    give(door, text="長" * 100_000)

    assert len(asked(store)[0].text) == Message.MAX_TEXT_CHARS


def test_in_a_direct_message_the_place_is_the_persons_own(door: SlackFrontDoor, store: redis.Redis) -> None:
    give(door, text="経費の締め日は？", channel_id="D1")

    assert asked(store, "slack:T1:D1:/U1")[0].reply_to["channel_type"] == "im"


@pytest.mark.parametrize("odd", ["", "ftp://x/y", "javascript:alert(1)", "https://x y/", "https://x/" + "y" * 2_000])
def test_a_response_url_of_no_shape_that_slack_sends_is_none(
    door: SlackFrontDoor, store: redis.Redis, odd: str
) -> None:
    give(door, text="経費の締め日は？", response_url=odd)

    assert asked(store)[0].reply_to["response_url"] == ""


@pytest.mark.parametrize("path", ["é", "答え", "\x00", "a\x7fb", "\ud800"])
def test_an_address_that_no_request_can_be_written_for_is_refused_as_none_of_slacks(path: str) -> None:
    urls = ResponseUrls(slack_client("xoxb-1", "http://127.0.0.1:9/api/"))

    with pytest.raises(DeliveryFailed, match="not an address"):
        urls.say(f"https://hooks.slack.com/commands/{path}", {"text": "25日です。"})


def test_what_is_said_at_once_is_in_the_language_of_the_question(door: SlackFrontDoor) -> None:
    assert told(give(door, text="When is the closing day?")) == TAKEN["en"]
    assert told(give(door, text="締め日は？", trigger_id="1.2.4")) == TAKEN["ja"]


@pytest.mark.parametrize("text", ["", "  ", "ヘルプ", "help", "使い方"])
def test_everybody_gets_help(door: SlackFrontDoor, store: redis.Redis, text: str) -> None:
    assert told(give(door, user_id="U2", text=text)) == HELP
    assert taken(store) == []


def test_an_administrators_help_tells_their_words_besides(door: SlackFrontDoor, store: redis.Redis) -> None:
    assert told(give(door, text="ヘルプ")) == f"{HELP}\n{ADMIN_HELP}"
    assert [command.argument for command in taken(store)] == ["help"]


@pytest.mark.parametrize(
    ("text", "name"), [("ストップ", "stop"), ("忘れて", "forget"), ("reset", "reset"), ("cancel", "stop")]
)
def test_an_order_that_anybody_may_give_is_one_here_too(
    door: SlackFrontDoor, store: redis.Redis, text: str, name: str
) -> None:
    answered = give(door, text=text, user_id="U2")

    assert (answered.status, answered.body) == (200, "")
    (command,) = taken(store)
    assert (command.name, command.conversation_id) == (name, "slack:T1:C1:/U2")


def test_who_may_not_use_the_desk_in_a_channel_may_not_ask_there_by_a_command(store: redis.Redis) -> None:
    places = Places({"slack:C1": Place(allowed_users=frozenset({"slack:U1"}))})
    door = SlackFrontDoor(SECRET, Inbox(store, NoHints()), ADMINS, places)

    assert told(give(door, text="経費の締め日は？", user_id="U2")) == NOT_ALLOWED
    assert asked(store, "slack:T1:C1:/U2") == []
    assert give(door, text="忘れて", user_id="U2").body == ""  # their words are theirs to take back
    assert told(give(door, text="経費の締め日は？", trigger_id="1.2.4")) == TAKEN["ja"]


def test_the_same_question_delivered_twice_is_one(door: SlackFrontDoor, store: redis.Redis) -> None:
    for _ in range(2):
        assert give(door, text="経費の締め日は？").status == 200

    assert len(asked(store)) == 1


def test_the_same_delivery_is_one_order(door: SlackFrontDoor, store: redis.Redis) -> None:
    give(door)
    give(door)

    assert len(taken(store)) == 1


def test_with_the_store_down_it_is_not_acknowledged() -> None:
    door = SlackFrontDoor(SECRET, Inbox(connect("unix:///nowhere/store.sock"), NoHints()), ADMINS)

    assert give(door).status == 503
    assert give(door, text="経費の締め日は？").status == 503


@pytest.mark.parametrize(
    "odd",
    [
        {"trigger_id": ""},
        {"user_id": ""},
        {"team_id": "T 1"},
        {"user_id": "<@U1>"},
        {"trigger_id": "1" * 200},
        {"trigger_id": "1 2"},
        {"channel_id": ""},
        {"channel_id": "C1:/U2"},
    ],
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
