"""Slack tells that the bot is shut out of a workspace or a channel; whoever else goes is nobody's business."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from bot.errors import DeliveryFailed
from bot.inbox import Inbox
from bot.slack.events import parse
from bot.slack.front_door import SlackFrontDoor
from bot.slack.happenings import parse_happening
from bot.slack.web import call, slack_client
from tests.fakes.slack import TOKEN, FakeSlack, Fault
from tests.fakes.slack_events import BOT_USER, envelope, said
from tests.workers.making import NoHints


def happened(event: dict[str, Any], **changed: Any) -> str | None:
    """The place that is left because of this event."""
    taken = parse_happening(envelope({"event_ts": "1700000000.000100"} | event, **changed))
    if taken is None:
        return None
    command, delivery_id = taken
    assert delivery_id.startswith("slack:Ev")
    assert getattr(command, "name", "") == "leave"
    return command.conversation_id


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({"type": "app_uninstalled"}, "slack:T0MADO"),
        ({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}}, "slack:T0MADO"),
        ({"type": "channel_left", "channel": "C1", "actor_id": "U1"}, "slack:T0MADO:C1"),
        ({"type": "group_left", "channel": "G1"}, "slack:T0MADO:G1"),
        ({"type": "channel_deleted", "channel": "C1"}, "slack:T0MADO:C1"),
        ({"type": "group_deleted", "channel": "G1"}, "slack:T0MADO:G1"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_the_bot_is_shut_out_of_a_place(event: dict[str, Any], place: str) -> None:
    assert happened(event) == place
    assert happened(event, authorizations=[{"user_id": BOT_USER}]) == place


@pytest.mark.parametrize(
    "event",
    [
        {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}},
        {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}},
        {"type": "tokens_revoked", "tokens": {"bot": "U1"}},
        {"type": "tokens_revoked", "tokens": []},
        {"type": "tokens_revoked"},
        {"type": "member_left_channel", "user": "U1", "channel": "C1"},
        {"type": "channel_left", "channel": "*"},
        {"type": "channel_left", "channel": {"id": "C1"}},
        {"type": "channel_left"},
        {"type": "channel_archive", "channel": "C1"},
    ],
)
def test_whatever_else_goes_erases_nothing(event: dict[str, Any]) -> None:
    assert happened(event) is None


def test_the_place_is_the_one_that_its_conversations_are_named_by_though_another_company_is_named_first() -> None:
    gone = happened({"type": "channel_left", "channel": "C1"}, team_id="T0OTHER")
    asked = parse(envelope({**said("@"), "channel": "C1", "channel_type": "channel"}, team_id="T0OTHER"))

    assert asked is not None
    assert gone == "slack:T0MADO:C1"
    assert asked.event.conversation_id.startswith(f"{gone}:")


@pytest.mark.parametrize(
    "changed",
    [
        {"team_id": "", "authorizations": []},
        {"team_id": "*", "authorizations": [3]},
        {"team_id": None, "authorizations": [{"team_id": ["T0MADO"]}]},
        {"event_id": 3},
    ],
)
def test_a_place_without_a_name_is_no_place(changed: dict[str, Any]) -> None:
    assert happened({"type": "app_uninstalled"}, **changed) is None
    assert happened({"type": "channel_left", "channel": "C1"}, **changed) is None


@pytest.mark.parametrize("error", ["account_inactive", "token_revoked", "invalid_auth", "not_in_channel"])
def test_who_is_shut_out_does_not_try_again(error: str) -> None:
    with FakeSlack() as slack:
        slack.fail("chat.postMessage", Fault(error=error))

        with pytest.raises(DeliveryFailed, match=error):
            call(slack_client(TOKEN, slack.api_url).chat_postMessage, channel="C1", text="25日です。")


@pytest.mark.parametrize(
    "event", [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["U0BOT"]}}]
)
def test_an_uninstallation_is_taken_in_once_though_it_is_told_twice(store: redis.Redis, event: dict[str, Any]) -> None:
    told = envelope({"event_ts": "1700000000.000100"} | event, authorizations=[])
    door = SlackFrontDoor(None, Inbox(store, NoHints()))

    assert [door.take(told).status, door.take(told).status] == [200, 200]

    assert store.hlen("controls") == 1
