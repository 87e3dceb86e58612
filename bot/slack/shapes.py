"""Reading what Slack sends without trusting its shape: the part, the text or the id, or nothing. Pure."""

from __future__ import annotations

import re

from bot.messages import JSONObject

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
TIMESTAMP = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")


def part(parent: JSONObject, key: str) -> JSONObject:
    """The object under this key, or an empty one."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def words(parent: JSONObject, key: str = "text") -> str:
    """The text under this key, or none."""
    value = parent.get(key)
    return value if isinstance(value, str) else ""


def team_of(envelope: JSONObject) -> str:
    """The workspace that an event came to us from, or nothing; in a channel of several companies the envelope may name
    another one's first.
    """
    granted = envelope.get("authorizations")
    ours = next((one for one in granted if isinstance(one, dict)), {}) if isinstance(granted, list) else {}
    return id_of(ours.get("team_id")) or id_of(envelope.get("team_id"))


def channel_type_of(channel: str) -> str:
    """`im` or `channel`, where what Slack sends does not say."""
    return "im" if channel.startswith("D") else "channel"


def conversation_of(place: str, ts: str, thread_ts: str, *, direct: bool) -> str:
    """The conversation of a message in a place (`slack:T1:C1`): the thread that it is in or opens; in a direct
    conversation what is outside of threads is one.
    """
    if direct and thread_ts in ("", ts):  # a root has its own ts as thread_ts once it was answered
        return place
    return f"{place}:{thread_ts or ts}"


def matching(pattern: re.Pattern[str], value: object) -> str:
    """The value when it is a text of that form, else nothing."""
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def id_of(value: object) -> str:
    """The value when it can be an id of Slack's, else nothing."""
    return matching(ID, value)


def ts_of(value: object) -> str:
    """The value when it can be a message's `ts`, else nothing."""
    return matching(TIMESTAMP, value)
