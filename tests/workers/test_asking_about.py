"""The shortcut "ask about this": a message becomes a question of who chose it, where the desk may answer it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import redis

from bot.messages import Action, Command, Deletion
from bot.slack.asking_about import parse_ask_about
from knowledge.retrieval import Retriever
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack, Fault
from tests.fakes.slack_events import TEAM
from tests.workers.desk import ANSWER, command, everything, make_clerk, make_desk, saying, slack_sender
from tests.workers.letters import an_order_dies
from workers.acting import act
from workers.phrases import phrase
from workers.serving import answer_next

SAMPLE = Path(__file__).parents[1] / "samples" / "slack" / "message_action.json"
QUESTION = "経費の締め日はいつですか？"


def payload(message: Mapping[str, Any], user: str = "U1", **changed: Any) -> dict[str, Any]:
    """What Slack tells when a person chooses the shortcut under a message of channel C1."""
    sample: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
    where = {"team": {"id": TEAM}, "user": {"id": user}, "channel": {"id": "C1"}, "response_url": ""}
    return {**sample, **where, "message_ts": message["ts"], "message": dict(message), **changed}


def chosen(message: Mapping[str, Any], user: str = "U1", **changed: Any) -> tuple[Action, str]:
    taken = parse_ask_about(payload(message, user, **changed))
    assert taken is not None
    return taken


def test_the_sample_is_a_question_of_who_chose_it_in_the_messages_thread() -> None:
    taken = parse_ask_about(json.loads(SAMPLE.read_text(encoding="utf-8")))

    assert taken is not None
    action, delivery_id = taken
    assert (action.name, action.value) == ("ask_about", "経費の締め日はいつですか？")
    assert action.conversation_id == "slack:T061EG9R6:C0LAN2Q65:1515449438.000011"
    assert action.reply_to["ext_shared"] is True
    assert "1515451000.000100" in delivery_id


@pytest.mark.parametrize(
    "changed",
    [
        {"message": {"text": ""}},
        {"message": {"text": "<@U2>"}},
        {"message": 3},
        {"channel": None},
        {"team": {"id": ["T"]}},
        {"message_ts": "x", "message": {"text": "a", "ts": "y"}},
        {"action_ts": None},
    ],
)
def test_a_payload_of_another_shape_is_nothing(changed: dict[str, Any]) -> None:
    assert parse_ask_about(payload({"ts": "1.1", "text": "a"}) | changed) is None


def test_too_much_text_is_cut() -> None:
    action, _ = chosen({"ts": "1.1", "text": "あ" * 20_000})

    assert len(action.value) == 8_000


def test_it_is_answered_in_the_messages_thread_once(store: redis.Redis, slack: FakeSlack, retriever: Retriever) -> None:
    message = slack.workspace.say("C1", QUESTION, user="U2")
    action, delivery_id = chosen(message)
    with saying(Script(ANSWER)) as generator:
        desk = make_desk(store, retriever, generator, senders={"slack": slack_sender(slack, store)})
        clerk = make_clerk(store, desk.senders)
        for _ in range(2):
            act(delivery_id, action, clerk)
        answer_next(action.conversation_id, desk)

        (shown,) = slack.visible("C1", message["ts"])
        assert ANSWER in shown
        act(
            "deletion 1",
            Deletion("slack", action.conversation_id, "slack:U2", f"slack:{TEAM}:C1:{message['ts']}", 1.0),
            clerk,
        )
        assert QUESTION not in everything(store)


@pytest.mark.parametrize("is_answered", [True, False])
@pytest.mark.parametrize("name", ["forget", "unfollow"])
def test_what_others_asked_about_goes_when_its_author_wants_to_be_forgotten(
    store: redis.Redis, slack: FakeSlack, retriever: Retriever, name: str, *, is_answered: bool
) -> None:
    message = slack.workspace.say("C1", f"内緒の話ですが、{QUESTION}", user="U2")
    action, delivery_id = chosen(message, "U1")
    with saying(Script(ANSWER)) as generator:
        desk = make_desk(store, retriever, generator, senders={"slack": slack_sender(slack, store)})
        clerk = make_clerk(store, desk.senders)
        act(delivery_id, action, clerk)
        if is_answered:
            answer_next(action.conversation_id, desk)
        assert "内緒の話" in everything(store)

        elsewhere = {**action.reply_to, "thread_ts": "", "channel": "D2", "channel_type": "im", "ext_shared": False}
        act("order 1", Command("slack", f"slack:{TEAM}:D2", "slack:U2", name, "", "ja", 1.0, elsewhere), clerk)

        assert "内緒の話" not in everything(store)
        assert not store.exists("asked_of:slack:U2")
        assert not desk.conversations.may_begin_with(action.conversation_id)


def test_where_somebody_asked_about_what_is_forgotten_with_the_channel(store: redis.Redis, slack: FakeSlack) -> None:
    message = slack.workspace.say("C1", QUESTION, user="U2")
    action, delivery_id = chosen(message, "U1")
    clerk = make_clerk(store, {"slack": slack_sender(slack, store)})
    act(delivery_id, action, clerk)
    assert store.hlen("asked_of:slack:U2") == 1

    act("left", Command("slack", f"slack:{TEAM}:C1", "slack:", "leave", "", "", 1.0, {}), clerk)

    assert not store.exists("asked_of:slack:U2")


def test_a_message_that_was_answered_already_is_not_answered_again(
    store: redis.Redis, slack: FakeSlack, retriever: Retriever
) -> None:
    message = slack.workspace.say("C1", QUESTION, user="U2")
    with saying(Script(ANSWER)) as generator:
        desk = make_desk(store, retriever, generator, senders={"slack": slack_sender(slack, store)})
        clerk = make_clerk(store, desk.senders)
        for user in ("U1", "U2"):
            action, delivery_id = chosen(message, user)
            act(delivery_id, action, clerk)
        answer_next(action.conversation_id, desk)

    assert len(slack.visible("C1", message["ts"])) == 1
    assert phrase("asked_already", "ja") in str(slack.workspace.interactions.__dict__)


def test_where_the_desk_is_not_it_says_so_and_keeps_nothing(store: redis.Redis, slack: FakeSlack) -> None:
    message = slack.workspace.say("C1", "内緒の話", user="U2")
    slack.workspace.channels["C1"].has_bot = False
    action, delivery_id = chosen(message, response_url=f"{slack.url}/nowhere")

    act(delivery_id, action, make_clerk(store, {"slack": slack_sender(slack, store)}))

    assert "内緒の話" not in everything(store)


@pytest.mark.parametrize("is_given_up", [False, True])
@pytest.mark.parametrize("erased_by", ["its author", "who chose it"])
def test_what_could_not_be_asked_yet_goes_with_its_message_and_with_who_chose_it(
    store: redis.Redis, slack: FakeSlack, *, is_given_up: bool, erased_by: str
) -> None:
    message = slack.workspace.say("C1", "内緒の話", user="U2")
    action, delivery_id = chosen(message)
    (an_order_dies if is_given_up else command)(store, action, delivery_id)
    where = ("slack", action.conversation_id)
    deletion = Deletion(*where, "slack:U2", f"slack:{TEAM}:C1:{message['ts']}", 1.0)
    leaving = Command(*where, "slack:U1", "unfollow", "", "ja", 1.0, {})

    erasure = deletion if erased_by == "its author" else leaving
    act("erasure 1", erasure, make_clerk(store, {"slack": slack_sender(slack, store)}))

    assert "内緒の話" not in everything(store)
    assert store.zcard("controls:due") == 0


def test_in_a_channel_that_another_company_reads_the_answer_is_for_the_public(
    store: redis.Redis, slack: FakeSlack
) -> None:
    sender = slack_sender(slack, store)
    action, _ = chosen(slack.workspace.say("C1", QUESTION))

    inside = sender.entered(action.reply_to)
    slack.workspace.interactions.shared.add("C1")
    outside = sender.entered(action.reply_to)

    assert inside is not None
    assert outside is not None
    assert "members" in sender.audience(inside.reply_to)
    assert "members" not in sender.audience(outside.reply_to)


def test_slack_out_of_reach_leaves_it_to_be_tried_again(store: redis.Redis, slack: FakeSlack) -> None:
    action, delivery_id = chosen(slack.workspace.say("C1", QUESTION))
    slack.fail("conversations.info", Fault(status=500))
    clerk = make_clerk(store, {"slack": slack_sender(slack, store)})

    with pytest.raises(Exception, match="unknown"):
        act(delivery_id, action, clerk)
    act(delivery_id, action, clerk)

    assert store.zcard(f"inbox:{action.conversation_id}") == 1
