"""Votes on Slack: the buttons under an answer, and what Slack tells when one is pressed. Pure."""

from __future__ import annotations

from typing import Any

from bot.messages import Action, JSONObject
from bot.platform import Target
from bot.slack.pressing import carried, press
from bot.votes import VOTE, Ballot


def vote_buttons(target: Target, *, may_train: bool) -> dict[str, Any]:
    """The block with Slack's own feedback buttons, for the answer to this target."""
    ballots = Ballot(target.message_id, "up", may_train), Ballot(target.message_id, "down")
    positive, negative = (_button(ballot, target) for ballot in ballots)
    buttons = {"positive_button": positive, "negative_button": negative}
    return {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": VOTE, **buttons}]}


def parse_vote(payload: JSONObject) -> tuple[Action, str] | None:
    """The vote that a pressed button is, and its delivery's id; None when it is of no shape that Slack sends."""
    pressed = press(payload)
    ballot = Ballot.read(pressed.what) if pressed else None
    if pressed is None or ballot is None:
        return None
    opens = {"trigger_id": pressed.trigger_id} if ballot.value == "down" else {}
    return pressed.action(VOTE, ballot.to_text(), **opens)


def _button(ballot: Ballot, target: Target) -> dict[str, Any]:
    label = ballot.label(target.language)
    value = carried(ballot.to_text(), target)
    return {"text": {"type": "plain_text", "text": label}, "value": value, "accessibility_label": label}
