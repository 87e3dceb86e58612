"""`madoguchi doctor slack` says what is missing and what stops working because of it, and never a secret."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from bot import findings
from bot.inbox import Inbox
from bot.sightings import Sightings
from bot.slack.doctor import examine
from bot.slack.front_door import SlackFrontDoor
from bot.slack.scopes import EXPECTED, SCOPES
from bot.slack.sightings import kind_of
from bot.slack.web import slack_client
from bot.store import connect
from tests.bot.serving import SLACK, serving, settings
from tests.fakes.slack import TOKEN, FakeSlack, Fault
from tests.fakes.slack_events import app_mention, envelope, message_event, message_im
from tests.fakes.slack_socket import APP_TOKEN, SlackSocket
from tests.workers.making import NoHints

ALL = ",".join(SCOPES)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.scopes = ALL
        yield fake


def found(slack: FakeSlack, store: redis.Redis, token: str = TOKEN, **given: Any) -> dict[str, list[str]]:
    """What is found, by its state."""
    chosen = settings("unix:///nowhere/s.sock", **({"slack_bot_token": token, "slack_signing_secret": "s"} | given))
    findings = list(examine(chosen, slack_client(token, slack.api_url), Sightings(store, "slack")))
    return {state: [one.text for one in findings if one.state == state] for state in ("ok", "bad", "unknown")}


def test_where_nothing_is_missing_nothing_is_bad(slack: FakeSlack, store: redis.Redis) -> None:
    told = found(slack, store)

    assert told["bad"] == []
    assert told["ok"][:2] == [
        "SLACK_BOT_TOKEN works, in https://mado.slack.com/",
        f"the token has all {len(SCOPES)} scopes",
    ]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_missing_scope_is_named_with_what_stops_working(slack: FakeSlack, store: redis.Redis, scope: str) -> None:
    slack.scopes = ", ".join(set(SCOPES) - {scope})

    first, then = found(slack, store)["bad"]

    assert first == f"scope {scope} is missing: {SCOPES[scope]}"
    assert "reinstall" in then


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(error="account_inactive"), "the app was uninstalled"),
        (Fault(error="token_revoked"), "it was revoked"),
        (Fault(status=500), "HTTP 500"),
        (Fault(body="<html>"), "does not work"),
        (Fault(reset="after"), "does not work"),
    ],
)
def test_a_token_that_does_not_work_says_why(slack: FakeSlack, store: redis.Redis, fault: Fault, words: str) -> None:
    slack.fail("auth.test", fault)

    (bad,) = found(slack, store)["bad"]

    assert words in bad


def test_a_token_of_nobody_is_told_without_the_token(slack: FakeSlack, store: redis.Redis) -> None:
    told = found(slack, store, token="xoxb-very-secret", slack_signing_secret="sign-very-secret")

    assert "none of Slack's" in told["bad"][0]
    assert "very-secret" not in str(told)


@pytest.mark.parametrize(("off_s", "state"), [(0, "ok"), (200, "ok"), (400, "bad"), (-400, "bad")])
def test_a_clock_that_is_off_is_told(
    slack: FakeSlack, store: redis.Redis, monkeypatch: pytest.MonkeyPatch, off_s: int, state: str
) -> None:
    monkeypatch.setattr(findings, "time", SimpleNamespace(time=lambda: time.time() + off_s))

    assert any("clock" in text for text in found(slack, store)[state])


def test_an_app_token_is_tried_and_a_wrong_one_explained(slack: FakeSlack, store: redis.Redis) -> None:
    with SlackSocket() as socket:
        slack.socket = socket
        good = found(slack, store, slack_app_token=APP_TOKEN)
        wrong = found(slack, store, slack_app_token="xoxb-no-app-token")
        slack.fail("apps.connections.open", Fault(error="missing_scope"))
        unscoped = found(slack, store, slack_app_token=APP_TOKEN)

    assert "SLACK_APP_TOKEN opens connections (Socket Mode)" in good["ok"]
    assert "opens no connection" in wrong["bad"][0]
    assert "connections:write" in unscoped["bad"][0]


def test_the_address_is_tried_without_a_signature(slack: FakeSlack, store: redis.Redis, store_url: str) -> None:
    with serving(store_url, **SLACK) as web:
        right = found(slack, store, public_url=f"{web.base_url}")
        elsewhere = found(slack, store, public_url=f"{web.base_url}/desk")
    gone = found(slack, store, public_url="http://127.0.0.1:9")

    assert any("turns away" in text for text in right["ok"])
    assert "answers 404 in the place of 401" in elsewhere["bad"][0]
    assert "cannot be reached" in gone["bad"][0]


def test_events_that_came_are_told_and_those_that_never_did(slack: FakeSlack, store: redis.Redis) -> None:
    door = SlackFrontDoor(None, Inbox(store, NoHints()))
    door.take(message_im("質問"))
    door.take(app_mention("質問"))

    told = found(slack, store)

    assert [text.split()[0] for text in told["ok"][-2:]] == ["app_mention", "message.im"]
    never = [text.split()[0] for text in told["unknown"] if "never" in text]
    assert never == [kind for kind in EXPECTED if kind not in ("app_mention", "message.im")]


def test_without_the_store_everything_else_is_told(slack: FakeSlack) -> None:
    told = found(slack, connect("unix:///nowhere/store.sock"))

    assert told["bad"] == []
    assert any("does not run" in text for text in told["unknown"])


def test_the_same_kind_is_noted_once_in_a_while_and_never_its_words(store: redis.Redis) -> None:
    sightings = Sightings(store, "slack")
    sightings.note(kind_of(message_im("合言葉はオニヤンマ")))
    store.delete("slack:seen")
    sightings.note(kind_of(message_im("合言葉はオニヤンマ")))

    assert sightings.all() == {}
    Sightings(store, "slack").note(kind_of(message_im("合言葉はオニヤンマ")))
    assert list(sightings.all()) == ["message.im"]
    assert "オニヤンマ" not in str(store.hgetall("slack:seen"))


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (message_event("質問", channel="G1", channel_type="group"), "message.groups"),
        (message_event("質問", channel="G1", channel_type="mpim"), "message.mpim"),
        ({"command": "/madoguchi", "text": ""}, "command"),
        ({"type": "block_actions"}, "interaction"),
        ({"type": "view_submission"}, "interaction"),
        (envelope({"type": "reaction_added"}), ""),
        (envelope({"type": "message", "channel_type": ["im"]}), ""),
        (envelope({"type": {"a": 1}}), ""),
        ({"type": "url_verification"}, ""),
        ({"event": None}, ""),
        ({}, ""),
    ],
)
def test_a_kind_is_named_as_slacks_settings_name_it(payload: dict[str, Any], kind: str) -> None:
    assert kind_of(payload) == kind
