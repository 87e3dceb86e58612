"""The button that ends an answer while it is written, Slack's own one, and what a press of them is. Pure."""

from __future__ import annotations

from typing import Any, Final

from bot.messages import Command, JSONObject
from bot.platform import Target
from bot.slack.pressing import carried, press
from bot.slack.shapes import channel_type_of, id_of, part, team_of, ts_of

STOP: Final = "stop"
LABELS: Final = {"ja": "止める", "en": "Stop"}


def stop_button(target: Target) -> dict[str, Any]:
    """The block with the button, for an answer to this target that is being written."""
    label = {"type": "plain_text", "text": LABELS[target.language]}
    button = {"type": "button", "action_id": STOP, "text": label, "value": carried(target.message_id, target)}
    return {"type": "actions", "elements": [button]}


def parse_stop(payload: JSONObject) -> tuple[Command, str] | None:
    """The order that a pressed button is, and its delivery's id; None when it is of no shape that Slack sends.

    Anybody in the thread may press it, as anybody there may say the word.
    """
    pressed = press(payload)
    if pressed is None or " " in pressed.what:
        return None
    order = Command(
        platform="slack",
        conversation_id=pressed.conversation_id,
        user_id=f"slack:{pressed.user}",
        name=STOP,
        argument=pressed.what,
        language=pressed.language,
        sent_at=float(pressed.pressed_at),
        reply_to=pressed.reply_to,
    )
    return order, f"slack:{STOP}:{pressed.what}:{pressed.user}:{pressed.pressed_at}"


def parse_session_stopped(envelope: JSONObject) -> tuple[Command, str] | None:
    """The order that a press of Slack's own button is, and its delivery's id; None when Slack sends no such shape.

    It names a thread. In a direct message that can be the conversation outside of threads, in the thread of whose
    question the answer stands, or the thread's own: the former is meant, and the stream itself tells of the other.
    """
    event, event_id = part(envelope, "event"), id_of(envelope.get("event_id"))
    team, channel, user = team_of(envelope), id_of(event.get("channel")), id_of(event.get("user"))
    thread_ts, at = ts_of(event.get("thread_ts")), ts_of(event.get("event_ts"))
    if not (event_id and team and channel and user and thread_ts and at):
        return None
    place, channel_type = f"slack:{team}:{channel}", channel_type_of(channel)
    order = Command(
        platform="slack",
        conversation_id=place if channel_type == "im" else f"{place}:{thread_ts}",
        user_id=f"slack:{user}",
        name=STOP,
        argument=f"{place}:{thread_ts}",
        language="ja",
        sent_at=float(at),
        reply_to={
            "team": team,
            "channel": channel,
            "channel_type": channel_type,
            "ext_shared": False,
            "thread_ts": thread_ts,
            "ts": thread_ts,
            "user": user,
        },
    )
    return order, f"slack:{event_id}"
