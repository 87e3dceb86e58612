"""Every kind of event that Slack sends is acknowledged, and becomes what it is to us, or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from bot.inbox import Inbox
from bot.messages import control_from_json
from bot.slack.front_door import SlackFrontDoor
from tests.workers.making import NoHints

SAMPLES = Path(__file__).parents[1] / "samples" / "slack"

# What each sample leaves for the clerk (the name of an order, an action or a kind of event), and for the inbox.
BECOMES = {
    "agent_session_stopped": ["stop"],
    "app_home_opened": ["suggest"],
    "app_home_opened_home": ["home"],
    "app_mention": ["a question"],
    "app_mention_in_thread_of_connect_channel": ["a question"],
    "app_uninstalled": ["leave"],
    "assistant_thread_started": ["suggest"],
    "channel_left": ["leave"],
    "file_deleted": ["file_gone"],
    "message_action": ["ask_about"],
    "message_changed_by_person": ["Edit"],
    "message_changed_tombstone": ["Deletion"],
    "message_channels_mention": ["a question"],
    "message_deleted": ["Deletion"],
    "message_file_share_mention": ["a question"],
    "message_im": ["a question"],
    "message_im_in_thread": ["a question"],
    "message_im_order": ["reset"],
    "slash_command": ["a question"],
    "tokens_revoked": ["leave"],
}


def sample(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return read


def left(store: redis.Redis) -> list[str]:
    """What waits for the clerk and in the inbox."""
    controls = [control_from_json(text) for text in store.hvals("controls")]
    questions = list(store.scan_iter("messages:*"))
    return [getattr(event, "name", type(event).__name__) for event in controls] + ["a question"] * len(questions)


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.glob("*.json")))
def test_every_sample_is_acknowledged_and_does_what_it_should(store: redis.Redis, name: str) -> None:
    door = SlackFrontDoor("secret", Inbox(store, NoHints()))

    for _ in range(2):  # Slack delivers again now and then
        assert door.take(sample(name)).status == 200

    assert left(store) == BECOMES.get(name, [])


def test_another_persons_opening_is_another_suggestion(store: redis.Redis) -> None:
    door = SlackFrontDoor("secret", Inbox(store, NoHints()))
    first = sample("assistant_thread_started")

    for source in (first, {**first, "event_id": "Ev0OTHER"}):
        door.take(source)

    assert left(store) == ["suggest", "suggest"]


@pytest.mark.parametrize(
    "thread",
    [None, 3, {}, {"user_id": "U1", "channel_id": "D1"}, {"user_id": ["U1"], "channel_id": "D1", "thread_ts": "1.1"}],
)
def test_an_opening_of_another_shape_is_acknowledged_and_nothing(store: redis.Redis, thread: object) -> None:
    door = SlackFrontDoor("secret", Inbox(store, NoHints()))
    source = sample("assistant_thread_started")
    source["event"]["assistant_thread"] = thread

    assert door.take(source).status == 200
    assert left(store) == []
