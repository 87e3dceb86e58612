"""A button under an answer: what it carries, and what Slack tells when it is pressed. Pure.

A button speaks of an answer where it stands: in this channel, in this thread, or before this person alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.messages import Action, JSONObject
from bot.platform import Target
from bot.slack.shapes import channel_type_of, conversation_of, id_of, matching, part, ts_of, words
from bot.words import language

MAX_LABEL_CHARS = 75
"""Of a button's text, and of what is read out in its place."""
_SHARED = " shared"
"""Behind what a button carries in a channel that another company reads too: of a press Slack does not tell that."""
_ADDRESS = re.compile(r"https?://[^\s<>\"|]{1,1000}")
_TRIGGER = re.compile(r"[0-9A-Za-z._-]{1,128}")
_LANGUAGE = re.compile(r"(.*) (ja|en)", re.DOTALL)
_MESSAGE_ID = re.compile(
    r"(?P<place>slack:(?P<team>[A-Za-z0-9_-]{1,64}):(?P<channel>[A-Za-z0-9_-]{1,64}))"
    r":(?:(?P<ts>[0-9]{1,12}\.[0-9]{1,9})|/(?P<alone>[A-Za-z0-9_-]{1,64}):[0-9A-Za-z._-]{1,128})"
)


def carried(what: str, target: Target) -> str:
    """What a button under the answer to this target carries, so that a press tells where it was and in which language.

    Args:
        what: with the id of the message that the answer covers as its last word.
    """
    return f"{what} {target.language}{_SHARED if target.reply_to['ext_shared'] else ''}"


@dataclass(frozen=True, slots=True)
class Press:
    """A press of a button under an answer.

    Args:
        what: what the button carried of its own.
        trigger_id: what opens a dialog within the next three seconds, or nothing.
    """

    what: str
    conversation_id: str
    user: str
    language: str
    pressed_at: str
    shown_at: str
    trigger_id: str
    reply_to: dict[str, Any]

    def action(self, name: str, value: str, **where: str) -> tuple[Action, str]:
        """The press as an event of ours, and its delivery's id; `where` is added to the way back."""
        action = Action(
            platform="slack",
            conversation_id=self.conversation_id,
            user_id=f"slack:{self.user}",
            name=name,
            value=value,
            sent_at=float(self.pressed_at),
            reply_to={**self.reply_to, **where},
            language=self.language,
        )
        channel = self.reply_to["channel"]
        return action, f"slack:{name}:{channel}:{self.shown_at}:{self.user}:{self.pressed_at}"


def press(payload: JSONObject) -> Press | None:
    """The press that Slack tells of; None when it is of no shape that Slack sends, or the button of another place."""
    container, pressed = part(payload, "container"), _first_action(payload)
    value = words(pressed, "value")
    what, told = _without_language(value.removesuffix(_SHARED))
    about = _MESSAGE_ID.fullmatch(what.rpartition(" ")[2])
    user, channel = id_of(part(payload, "user").get("id")), id_of(container.get("channel_id"))
    shown_at, pressed_at = ts_of(container.get("message_ts")), ts_of(pressed.get("action_ts"))
    if about is None or about["channel"] != channel or not (user and shown_at and pressed_at):
        return None
    if about["alone"] and about["alone"] != user:
        return None
    conversation_id, where = _before_one(payload, about) if about["alone"] else _in_thread(payload, about)
    return Press(
        what=what,
        conversation_id=conversation_id,
        user=user,
        language=told or language(words(part(payload, "message"))),
        pressed_at=pressed_at,
        shown_at=shown_at,
        trigger_id=matching(_TRIGGER, payload.get("trigger_id")),
        reply_to={
            "team": about["team"],
            "channel": channel,
            "channel_type": channel_type_of(channel),
            "ext_shared": value.endswith(_SHARED),
            "user": user,
            **where,
        },
    )


def pressed_on(payload: JSONObject, name: str) -> tuple[Action, str] | None:
    """The action of this name that a press of a button is which carries nothing but its message."""
    pressed = press(payload)
    if pressed is None or " " in pressed.what:
        return None
    return pressed.action(name, pressed.what)


def _in_thread(payload: JSONObject, about: re.Match[str]) -> tuple[str, dict[str, Any]]:
    """The conversation of an answer in a thread, and where there."""
    ts = about["ts"]
    said_in = (part(payload, "message"), part(payload, "container"))
    thread_ts = next(filter(None, (ts_of(one.get("thread_ts")) for one in said_in)), "")
    direct = channel_type_of(about["channel"]) == "im"
    return conversation_of(about["place"], ts, thread_ts, direct=direct), {"thread_ts": thread_ts or ts, "ts": ts}


def _before_one(payload: JSONObject, about: re.Match[str]) -> tuple[str, dict[str, Any]]:
    """The conversation of an answer that only its asker sees, and the way to say more to the same eyes."""
    where = {
        "thread_ts": "",
        "ts": "",
        "private": True,
        "response_url": matching(_ADDRESS, payload.get("response_url")),
    }
    return f"{about['place']}:/{about['alone']}", where


def _without_language(value: str) -> tuple[str, str]:
    """What a button carries, and the language behind it; buttons of an older version did not tell theirs."""
    told = _LANGUAGE.fullmatch(value)
    return (told[1], told[2]) if told else (value, "")


def _first_action(payload: JSONObject) -> JSONObject:
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    return first if isinstance(first, dict) else {}
