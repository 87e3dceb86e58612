"""Votes on their way in: from the console's page and from Slack's own buttons, each once, none that was made up."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from bot.console.events import from_button
from bot.errors import BadRequest
from bot.inbox import Inbox
from bot.messages import Action, Citation, Reply
from bot.platform import Target, WebhookRequest, WebhookResponse
from bot.slack.front_door import SlackFrontDoor
from bot.slack.sender import SlackSender
from bot.slack.votes import parse_vote, vote_buttons
from bot.slack.web import slack_client
from bot.store import connect
from bot.votes import Ballot
from tests.console_desk import MemoryJournal
from tests.fakes.slack import TOKEN, FakeSlack, Fault
from tests.fakes.slack_blocks import refusal_of_blocks
from tests.fakes.slack_events import TEAM, feedback, form_of, pressed, sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
FORM = "application/x-www-form-urlencoded"
ID = "5f0e1c2ab3d44e55"
SOURCE = Citation(1, "経費規程", "keihi.md", "", "締め日は25日です。")
IN_CHANNEL = f"slack:{TEAM}:C1:1700000000.000100"


class NoHints:
    def answer(self, conversation_id: str) -> None: ...

    def act(self, control_id: str) -> None: ...


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def door(store: redis.Redis) -> SlackFrontDoor:
    return SlackFrontDoor(SECRET, Inbox(store, NoHints()))


def tell(door: SlackFrontDoor, payload: dict[str, Any]) -> WebhookResponse:
    body = form_of(payload=json.dumps(payload))
    return door.handle(WebhookRequest(sign(SECRET, body, content_type=FORM), body))


def taken(store: redis.Redis) -> list[Action]:
    return [Action.from_json(stored) for stored in store.hvals("controls")]


def target(slack: FakeSlack, channel: str = "C1", *, language: str = "ja", ext_shared: bool = False) -> Target:
    ts = slack.workspace.say(channel, "経費の締め日は？")["ts"]
    kind = "im" if channel[0] == "D" else "channel"
    where = {"team": TEAM, "channel": channel, "channel_type": kind, "ext_shared": ext_shared, "user": "U1"}
    message_id = f"slack:{TEAM}:{channel}:{ts}"
    conversation = f"slack:{TEAM}:{channel}" if kind == "im" else message_id
    return Target(message_id, conversation, language, where | {"thread_ts": ts, "ts": ts})


def answered(slack: FakeSlack, store: redis.Redis, to: Target, *, may_train: bool = False) -> dict[str, Any]:
    """The bot's message with the answer, as Slack keeps it."""
    sender = SlackSender(slack_client(TOKEN, slack.api_url), store, may_train=may_train)
    sender.open(to, MemoryJournal()).finish(Reply("25日です。", (SOURCE,)))
    return slack.workspace.channels[to.reply_to["channel"]].messages[-1]


def buttons(message: dict[str, Any]) -> dict[str, Any]:
    (block,) = [block for block in message["blocks"] if block["type"] == "context_actions"]
    (element,) = block["elements"]
    return dict(element)


@given(st.from_regex(r"\S{1,300}", fullmatch=True), st.sampled_from([("up", True), ("up", False), ("down", False)]))
def test_a_ballot_comes_back_as_it_was(message_id: str, said: tuple[Any, bool]) -> None:
    ballot = Ballot(message_id, *said)

    assert Ballot.read(ballot.to_text()) == ballot


@given(st.text())
def test_any_other_text_is_no_ballot(text: str) -> None:
    ballot = Ballot.read(text)

    assert ballot is None or ballot.to_text() == text


@pytest.mark.parametrize("ext_shared", [True, False])
def test_a_press_tells_the_place_as_its_answer_was_told_it(
    slack: FakeSlack, store: redis.Redis, door: SlackFrontDoor, ext_shared: bool
) -> None:
    to = target(slack, ext_shared=ext_shared)
    message = answered(slack, store, to)

    tell(door, feedback(message, buttons(message)["negative_button"]["value"], user="U2"))

    (action,) = taken(store)
    assert action.reply_to == {**to.reply_to, "user": "U2", "trigger_id": "12466734323.1395872398"}


@pytest.mark.parametrize("channel", ["C1", "D1"])
def test_what_slack_tells_of_its_buttons_is_a_vote_on_the_answer(
    slack: FakeSlack, store: redis.Redis, door: SlackFrontDoor, channel: str
) -> None:
    to = target(slack, channel)
    message = answered(slack, store, to)
    value = buttons(message)["positive_button"]["value"]

    assert tell(door, feedback(message, value, channel=channel, user="U2")).status == 200

    (action,) = taken(store)
    assert (action.name, action.user_id, action.conversation_id) == ("vote", "slack:U2", to.conversation_id)
    assert Ballot.read(action.value) == Ballot(to.message_id, "up")
    assert action.sent_at == 1700000200.0001


def test_a_message_in_a_thread_of_a_direct_conversation_belongs_to_the_thread() -> None:
    message = {"ts": "1700000009.000100", "thread_ts": "1700000000.000100", "text": "はい"}

    pressed_there = parse_vote(feedback(message, f"up slack:{TEAM}:D1:1700000005.000100", channel="D1"))

    assert pressed_there is not None
    assert pressed_there[0].conversation_id == f"slack:{TEAM}:D1:1700000000.000100"


def test_the_same_press_is_one_vote_and_another_is_another(door: SlackFrontDoor, store: redis.Redis) -> None:
    message = {"ts": "1700000009.000100", "thread_ts": "1700000000.000100", "text": "はい"}
    first, again = (feedback(message, f"{value} {IN_CHANNEL}") for value in ("up", "down"))
    again["actions"][0]["action_ts"] = "1700000300.000100"

    for payload in (first, first, again, again):
        assert tell(door, payload).status == 200

    assert sorted(action.value.split()[0] for action in taken(store)) == ["down", "up"]


def test_with_the_store_down_a_press_is_not_acknowledged() -> None:
    door = SlackFrontDoor(SECRET, Inbox(connect("unix:///nowhere/store.sock"), NoHints()))

    assert tell(door, feedback({"ts": "1700000009.000100"}, f"up {IN_CHANNEL}")).status == 503


def test_without_a_signature_a_press_is_nobodys(door: SlackFrontDoor, store: redis.Redis) -> None:
    body = form_of(payload=json.dumps(feedback({"ts": "1700000009.000100"}, f"up {IN_CHANNEL}")))

    assert door.handle(WebhookRequest({"content-type": FORM}, body)).status == 401
    assert taken(store) == []


ODD: list[dict[str, Any]] = [
    {"actions": [{"type": "feedback_buttons", "action_id": "vote", "action_ts": "1.2", "value": value}]}
    for value in ("", "up", 5, None, ["up"], "up console:s1:abc", f"up slack:{TEAM}:C2:1700000000.000100", "x" * 5_000)
] + [
    {"actions": [{"type": "feedback_buttons", "action_id": "vote", "value": f"up {IN_CHANNEL}"}]},
    {"actions": [{"action_id": "other", "value": f"up {IN_CHANNEL}", "action_ts": "1.2"}]},
    {"user": {"id": "<@U1>"}},
    {"user": "U1"},
    {"container": {}},
    {"container": {"channel_id": "C1", "message_ts": "soon"}},
]


@pytest.mark.parametrize("odd", ODD)
def test_a_press_of_no_shape_that_slack_sends_is_nothing(
    door: SlackFrontDoor, store: redis.Redis, odd: dict[str, Any]
) -> None:
    assert tell(door, feedback({"ts": "1700000009.000100"}, f"up {IN_CHANNEL}") | odd).status == 200

    assert taken(store) == []


@pytest.mark.parametrize("odd", [{"actions": []}, {"actions": ["vote"]}, {"actions": {"0": 1}}, {"actions": None}])
def test_a_press_without_an_action_is_refused_or_nothing(
    door: SlackFrontDoor, store: redis.Redis, odd: dict[str, Any]
) -> None:
    assert tell(door, feedback({"ts": "1700000009.000100"}, f"up {IN_CHANNEL}") | odd).status in (200, 400)

    assert taken(store) == []


def test_a_button_of_another_kind_is_none_of_ours(door: SlackFrontDoor, store: redis.Redis) -> None:
    payload = pressed({"ts": "1700000009.000100"}, {"type": "button", "action_id": "other", "value": "1"})

    assert tell(door, payload).status == 200
    assert taken(store) == []


def test_an_answer_without_sources_has_no_buttons(slack: FakeSlack, store: redis.Redis) -> None:
    to = target(slack)
    sender = SlackSender(slack_client(TOKEN, slack.api_url), store)

    sender.open(to, MemoryJournal()).finish(Reply("資料には見つかりませんでした。"))
    sender.open(target(slack), MemoryJournal()).fail("申し訳ありません。")

    blocks = [b["type"] for m in slack.workspace.channels["C1"].messages if "bot_id" in m for b in m["blocks"]]
    assert blocks == ["markdown", "markdown"]


@pytest.mark.parametrize(("language", "asks"), [("ja", "学習に使ってよい"), ("en", "may be used for training")])
def test_a_button_that_lends_says_so(slack: FakeSlack, store: redis.Redis, language: str, asks: str) -> None:
    plain = buttons(answered(slack, store, target(slack, language=language)))
    lending = buttons(answered(slack, store, target(slack, language=language), may_train=True))

    assert asks in lending["positive_button"]["text"]["text"]
    assert asks not in plain["positive_button"]["text"]["text"]
    values = [one[name]["value"] for one in (plain, lending) for name in ("positive_button", "negative_button")]
    assert [value.split()[0] for value in values] == ["up", "down", "up+train", "down"]
    assert {value.split()[2] for value in values} == {language}


def longest(message_id: str, language: str) -> Target:
    return Target(message_id, message_id, language, {"ext_shared": True})


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_buttons_of_the_longest_id_are_within_slacks_limits(language: str) -> None:
    block = vote_buttons(longest("slack:" + "T" * 64 + ":" + "C" * 64 + ":1700000000.000100", language), may_train=True)

    assert refusal_of_blocks([block]) is None


def test_the_fake_refuses_what_slack_refuses_of_buttons() -> None:
    block = vote_buttons(longest(IN_CHANNEL, "ja"), may_train=True)
    block["elements"][0]["positive_button"]["text"]["text"] = "長" * 76

    assert refusal_of_blocks([block]) == "invalid_blocks"


def whisper(slack: FakeSlack, store: redis.Redis) -> None:
    """Tell U1 in a channel's thread that the vote does not count."""
    ts = slack.workspace.say("C1", "経費の締め日は？")["ts"]
    action = parse_vote(feedback({"ts": "1700000009.000100", "thread_ts": ts}, f"up slack:{TEAM}:C1:{ts}"))
    assert action is not None
    SlackSender(slack_client(TOKEN, slack.api_url), store).whisper(action[0].reply_to, "数えられませんでした。")


def test_that_a_vote_does_not_count_is_for_the_eyes_of_who_pressed(slack: FakeSlack, store: redis.Redis) -> None:
    whisper(slack, store)

    assert slack.workspace.whispers == [("U1", "数えられませんでした。")]
    assert slack.visible("C1") == []


@pytest.mark.parametrize("trouble", [Fault(status=500), Fault(error="user_not_in_channel")])
def test_what_may_have_been_told_is_not_told_again(slack: FakeSlack, store: redis.Redis, trouble: Fault) -> None:
    slack.fail("chat.postEphemeral", trouble)

    whisper(slack, store)  # and is no trouble of the clerk's

    assert slack.workspace.whispers == []


@pytest.mark.parametrize(
    ("posted", "text"),
    [
        ({"value": "up"}, f"up console:s1:{ID}"),
        ({"value": "down", "may_train": False}, f"down console:s1:{ID}"),
        ({"value": "up", "may_train": True}, f"up+train console:s1:{ID}"),
        ({"value": "down", "may_train": True}, f"down console:s1:{ID}"),
    ],
)
def test_the_pages_button_is_a_vote_in_its_own_session(posted: dict[str, Any], text: str) -> None:
    now = time.time()

    action = from_button({"name": "vote", "id": ID, **posted}, "s1", "en", now)

    assert action == Action("console", "console:s1", "console:s1", "vote", text, now, {"session": "s1"}, "en")


@pytest.mark.parametrize(
    "odd",
    [
        {"value": "sideways"},
        {"value": None},
        {"value": ["up"]},
        {"value": "up", "may_train": "yes"},
        {"value": "up", "may_train": 1},
        {"value": "up", "id": "console:s2:5f0e1c2ab3d44e55"},
        {"value": "up", "id": "a b c d e f g"},
        {"value": "up", "id": "x" * 65},
        {"value": "up", "id": 5},
        {},
    ],
)
def test_anything_else_is_refused(odd: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as refusal:
        from_button({"name": "vote", "id": ID, **odd}, "s1", "ja", 1.0)

    assert refusal.value.status == 400


def test_the_longest_id_of_a_message_fits_on_a_ballot() -> None:
    action = from_button({"name": "vote", "id": "x" * 64, "value": "up"}, "s" * 32, "ja", 1.0)

    assert isinstance(action, Action)
    assert Ballot.read(action.value) is not None


def test_an_action_of_an_older_version_has_a_language() -> None:
    stored = {"v": 1, "kind": "Action", "platform": "console", "conversation_id": "c", "user_id": "u", "name": "vote"}

    assert Action.from_json(json.dumps(stored | {"value": "", "sent_at": 1.0, "reply_to": {}})).language == "ja"
