"""A press of a button that ends an answer is an order, as the word is; whatever else comes in its place is nothing."""

from __future__ import annotations

from typing import Any

import pytest

from bot.messages import Command
from bot.platform import Target
from bot.slack.happenings import parse_happening
from bot.slack.interactions import parse_interaction
from bot.slack.stopping import STOP, parse_session_stopped, stop_button
from tests.bot.test_slack_sender import target_of
from tests.fakes.slack_blocks import refusal_of_blocks
from tests.fakes.slack_events import TEAM, envelope

ROOT, AT = "1700000000.000100", "1700000009.000100"


def pressed(target: Target, *, user: str = "U2", thread_ts: str = ROOT, **changed: Any) -> dict[str, Any]:
    """What Slack sends when somebody presses the button on an answer to this target."""
    (button,) = stop_button(target)["elements"]
    channel = target.reply_to["channel"]
    return {
        "type": "block_actions",
        "user": {"id": user},
        "container": {"type": "message", "message_ts": "1700000005.000100", "channel_id": channel},
        "channel": {"id": channel},
        "message": {"ts": "1700000005.000100", "thread_ts": thread_ts, "text": "書いています"},
        "actions": [{"type": "button", "action_id": STOP, "value": button["value"], "action_ts": AT}],
    } | changed


def order(payload: dict[str, Any]) -> Command:
    taken = parse_interaction(payload)
    assert taken is not None
    assert isinstance(taken[0], Command)
    return taken[0]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_slack_takes_the_button(language: str) -> None:
    target = target_of(ROOT)

    block = stop_button(Target(target.message_id, target.conversation_id, language, target.reply_to))

    assert refusal_of_blocks([block]) is None


def test_whoever_presses_the_button_in_a_thread_orders_a_stop_there() -> None:
    stop = order(pressed(target_of(ROOT)))

    assert (stop.name, stop.user_id, stop.language) == ("stop", "slack:U2", "ja")
    assert stop.conversation_id == f"slack:{TEAM}:C1:{ROOT}"
    assert stop.argument == f"slack:{TEAM}:C1:{ROOT}"
    assert stop.sent_at == float(AT)


def test_outside_of_threads_in_a_direct_message_it_ends_that_conversations_answer() -> None:
    target = Target(f"slack:{TEAM}:D1:{ROOT}", f"slack:{TEAM}:D1", "ja", target_of(ROOT, channel="D1").reply_to)

    assert order(pressed(target)).conversation_id == f"slack:{TEAM}:D1"
    assert order(pressed(target, thread_ts="1600000000.000100")).conversation_id == f"slack:{TEAM}:D1:1600000000.000100"


def test_a_press_that_comes_twice_is_one_order() -> None:
    first, again = (parse_interaction(pressed(target_of(ROOT))) for _ in range(2))
    another = parse_interaction(pressed(target_of(ROOT), user="U3"))

    assert first is not None
    assert again is not None
    assert another is not None
    assert first[1] == again[1] != another[1]


@pytest.mark.parametrize(
    "changed",
    [
        {"user": {}},
        {"user": {"id": "U" * 65}},
        {"user": None},
        {"container": {"message_ts": "1700000005.000100", "channel_id": "C2"}},
        {"container": {"channel_id": "C1"}},
        {"actions": []},
        {"actions": [{"action_id": STOP}]},
        {"actions": [{"action_id": STOP, "value": "", "action_ts": AT}]},
        {"actions": [{"action_id": STOP, "value": "slack:T:C1:1.1; drop", "action_ts": AT}]},
        {"actions": [{"action_id": STOP, "value": f"vote slack:{TEAM}:C1:{ROOT} ja", "action_ts": AT}]},
        {"actions": [{"action_id": STOP, "value": "x" * 100_000, "action_ts": AT}]},
        {"actions": [{"action_id": STOP, "value": f"slack:{TEAM}:C1:{ROOT} ja", "action_ts": "soon"}]},
        {"actions": [{"action_id": [STOP], "value": 1, "action_ts": 2}]},
    ],
)
def test_what_slack_does_not_send_is_nothing(changed: dict[str, Any]) -> None:
    assert parse_interaction(pressed(target_of(ROOT), **changed)) is None


def slacks_own(**changed: Any) -> dict[str, Any]:
    """What Slack sends when somebody presses its own button."""
    event = {"type": "agent_session_stopped", "channel": "C1", "user": "U2", "thread_ts": ROOT, "event_ts": AT}
    told = envelope(event | {"streaming_message_ts": ["1700000005.000100"]})
    return told | {"event": told["event"] | changed}


def test_slacks_own_button_orders_a_stop_in_its_thread() -> None:
    happened = parse_happening(slacks_own())

    assert happened is not None
    assert isinstance(happened[0], Command)
    assert (happened[0].name, happened[0].user_id) == ("stop", "slack:U2")
    assert happened[0].conversation_id == f"slack:{TEAM}:C1:{ROOT}"
    assert happened[0].argument


def test_in_a_direct_message_slacks_own_button_ends_the_answer_outside_of_threads() -> None:
    happened = parse_session_stopped(slacks_own(channel="D1"))

    assert happened is not None
    assert happened[0].conversation_id == f"slack:{TEAM}:D1"


@pytest.mark.parametrize("name", ["channel", "user", "thread_ts", "event_ts"])
@pytest.mark.parametrize("value", [None, "", 7, ["C1"], {"id": "C1"}, "x" * 5_000, "../C1"])
def test_an_event_of_another_shape_is_nothing(name: str, value: Any) -> None:
    assert parse_session_stopped(slacks_own(**{name: value})) is None
