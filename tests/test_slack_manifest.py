"""The Slack app's manifest asks for what the program listens to and calls, for nothing else; the doctor knows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from bot.slack.happenings import EVENTS as HAPPENINGS
from bot.slack.interactions import SHORTCUTS
from bot.slack.scopes import EVENTS, EXPECTED, SCOPES
from bot.slack.slash import COMMAND

ROOT = Path(__file__).parents[1]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "slack-manifest.yaml").read_text(encoding="utf-8"))
BOT_SCOPES: list[str] = MANIFEST["oauth_config"]["scopes"]["bot"]
SUBSCRIBED: list[str] = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
CALLED = {
    name.replace("_", ".")
    for file in (ROOT / "bot" / "slack").glob("*.py")
    for name in re.findall(
        r"client\.((?:apps|assistant|auth|chat|conversations|files|users|views)_\w+)", file.read_text()
    )
}
HISTORY = frozenset({"im:history", "channels:history", "groups:history", "mpim:history"})
READ = frozenset({"channels:read", "groups:read"})

METHODS: Final[Mapping[str, frozenset[str]]] = {
    "apps.connections.open": frozenset(),  # an app-level token, with connections:write
    "assistant.threads.setStatus": frozenset({"chat:write"}),
    "assistant.threads.setSuggestedPrompts": frozenset({"assistant:write"}),
    "auth.test": frozenset(),
    "chat.appendStream": frozenset({"chat:write"}),
    "chat.delete": frozenset({"chat:write"}),
    "chat.getPermalink": frozenset(),
    "chat.postEphemeral": frozenset({"chat:write"}),
    "chat.postMessage": frozenset({"chat:write"}),
    "chat.startStream": frozenset({"chat:write"}),
    "chat.stopStream": frozenset({"chat:write"}),
    "chat.update": frozenset({"chat:write"}),
    "conversations.history": HISTORY,
    "conversations.info": READ,
    "conversations.replies": HISTORY,
    "files.info": frozenset({"files:read"}),
    "users.info": frozenset({"users:read"}),
    "views.open": frozenset(),
    "views.publish": frozenset(),
}
"""The scopes that each method needs (docs.slack.dev, reference, methods)."""

EVENT_SCOPES: Final[Mapping[str, frozenset[str]]] = {
    "app_mention": frozenset({"app_mentions:read"}),
    "message.im": frozenset({"im:history"}),
    "message.channels": frozenset({"channels:history"}),
    "message.groups": frozenset({"groups:history"}),
    "message.mpim": frozenset({"mpim:history"}),
    "app_home_opened": frozenset(),
    "agent_session_stopped": frozenset(),
    "app_uninstalled": frozenset(),
    "tokens_revoked": frozenset(),
    "channel_left": frozenset({"channels:read"}),
    "group_left": frozenset({"groups:read"}),
    "channel_deleted": frozenset({"channels:read"}),
    "group_deleted": frozenset({"groups:read"}),
    "file_deleted": frozenset({"files:read"}),
}
"""The scopes that each event needs (docs.slack.dev, reference, events)."""

OF_OLDER_APPS = {"assistant_thread_started"}
"""Listened to, but no new app can have it: the agent view has taken the place of the assistant view."""


@pytest.mark.parametrize("method", sorted(CALLED))
def test_every_method_that_is_called_has_its_scopes(method: str) -> None:
    assert METHODS[method] <= set(BOT_SCOPES)


@pytest.mark.parametrize("event", SUBSCRIBED)
def test_every_event_has_its_scopes_and_is_listened_to(event: str) -> None:
    assert EVENT_SCOPES[event] <= set(BOT_SCOPES)
    assert event.partition(".")[0] in {"app_mention", "message", *HAPPENINGS}


def test_every_event_that_is_listened_to_is_subscribed_to() -> None:
    assert set(HAPPENINGS) - OF_OLDER_APPS <= set(SUBSCRIBED)


def test_no_scope_is_asked_for_that_nothing_needs() -> None:
    needed = frozenset().union(*METHODS.values(), *(EVENT_SCOPES[event] for event in SUBSCRIBED), {"commands"})

    assert set(BOT_SCOPES) == needed
    assert len(set(BOT_SCOPES)) == len(BOT_SCOPES)


def test_the_doctor_knows_the_manifest() -> None:
    assert set(SCOPES) == set(BOT_SCOPES)
    assert set(EVENTS) == set(SUBSCRIBED)
    assert set(EXPECTED) <= {*EVENTS, "interaction", "command"}


def test_everything_comes_to_one_path() -> None:
    settings, features = MANIFEST["settings"], MANIFEST["features"]
    addresses = [
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        *(command["url"] for command in features["slash_commands"]),
    ]

    assert set(addresses) == {"https://madoguchi.example.com/slack/events"}
    assert settings["interactivity"]["is_enabled"]


def test_the_command_the_shortcut_and_the_tabs_are_those_of_the_program() -> None:
    features = MANIFEST["features"]

    assert [command["command"] for command in features["slash_commands"]] == [COMMAND]
    assert [shortcut["callback_id"] for shortcut in features["shortcuts"]] == list(SHORTCUTS)
    assert features["app_home"]["home_tab_enabled"]
    assert features["app_home"]["messages_tab_enabled"]


def test_no_text_is_longer_than_slack_takes() -> None:
    """docs.slack.dev, reference, app manifest."""
    features, shown = MANIFEST["features"], MANIFEST["display_information"]

    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert len(features["agent_view"]["agent_description"]) <= 300
    assert all(len(one["name"]) <= 24 and len(one["description"]) <= 150 for one in features["shortcuts"])
