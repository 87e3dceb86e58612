"""Votes on Slack: the buttons under an answer, and what Slack tells when one is pressed. Pure."""

from __future__ import annotations

import re
from typing import Any

from bot.messages import Action, JSONObject
from bot.platform import Target
from bot.votes import VOTE, Ballot
from bot.words import language

_SHARED = " shared"
"""Behind a ballot in a channel that another company reads too: of a press Slack does not tell that again."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")
_MESSAGE_ID = re.compile(r"(slack:[A-Za-z0-9_-]{1,64}:([A-Za-z0-9_-]{1,64})):([0-9]{1,12}\.[0-9]{1,9})")


def vote_buttons(target: Target, *, may_train: bool) -> dict[str, Any]:
    """The block with Slack's own feedback buttons, for the answer to this target."""
    ballots = Ballot(target.message_id, "up", may_train), Ballot(target.message_id, "down")
    positive, negative = (_button(ballot, target) for ballot in ballots)
    buttons = {"positive_button": positive, "negative_button": negative}
    return {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": VOTE, **buttons}]}


def parse_vote(payload: JSONObject) -> tuple[Action, str] | None:
    """The vote that a pressed button is, and its delivery's id; None when it is of no shape that Slack sends.

    A button speaks of an answer where it stands: in this channel, in this thread.
    """
    container, pressed = _object(payload, "container"), _first(payload)
    message, value = _object(payload, "message"), _text(pressed, "value")
    ballot = Ballot.read(value.removesuffix(_SHARED))
    user, channel = _match(_ID, _object(payload, "user").get("id")), _match(_ID, container.get("channel_id"))
    shown_at, pressed_at = (
        _match(_TIMESTAMP, part.get(name)) for part, name in ((container, "message_ts"), (pressed, "action_ts"))
    )
    about = _MESSAGE_ID.fullmatch(ballot.message_id) if ballot else None
    if ballot is None or about is None or about[2] != channel or not (user and shown_at and pressed_at):
        return None
    place, ts = about[1], about[3]
    thread_ts = _match(_TIMESTAMP, message.get("thread_ts")) or _match(_TIMESTAMP, container.get("thread_ts"))
    direct = channel.startswith("D") and thread_ts in ("", ts)
    action = Action(
        platform="slack",
        conversation_id=place if direct else f"{place}:{thread_ts or ts}",
        user_id=f"slack:{user}",
        name=VOTE,
        value=ballot.to_text(),
        sent_at=float(pressed_at),
        reply_to={
            "team": place.split(":")[1],
            "channel": channel,
            "channel_type": "im" if channel.startswith("D") else "channel",
            "ext_shared": value.endswith(_SHARED),
            "thread_ts": thread_ts or ts,
            "ts": ts,
            "user": user,
        },
        language=language(_text(message, "text")),
    )
    return action, f"slack:vote:{channel}:{shown_at}:{user}:{pressed_at}"


def _button(ballot: Ballot, target: Target) -> dict[str, Any]:
    label = ballot.label(target.language)
    value = ballot.to_text() + (_SHARED if target.reply_to["ext_shared"] else "")
    return {"text": {"type": "plain_text", "text": label}, "value": value, "accessibility_label": label}


def _first(payload: JSONObject) -> JSONObject:
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    return first if isinstance(first, dict) else {}


def _object(parent: JSONObject, key: str) -> JSONObject:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _text(parent: JSONObject, key: str) -> str:
    value = parent.get(key)
    return value if isinstance(value, str) else ""


def _match(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""
