"""A channel of the fake Slack, what refuses a call, and the shapes that arguments come in."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]

METADATA = {"event_type", "event_payload"}


class Refused(Exception):
    """Slack answers `{"ok": false, "error": name}`."""


@dataclass
class Channel:
    """A place with messages; `kind` is channel, group, mpim or im."""

    id: str
    kind: str = "channel"
    is_archived: bool = False
    has_bot: bool = True
    messages: list[JSON] = field(default_factory=list)
    statuses: list[tuple[str, str]] = field(default_factory=list)
    turns: list[list[str]] = field(default_factory=list)
    """What each status shows in turn."""
    prompts: list[list[JSON]] = field(default_factory=list)
    """What was suggested there, each time."""
    streams: bool = True
    """Whether messages can grow there."""

    def message(self, ts: str) -> JSON | None:
        return next((m for m in self.messages if m["ts"] == ts), None)

    def thread(self, thread_ts: str) -> list[JSON]:
        return [m for m in self.messages if thread_ts in (m["ts"], m.get("thread_ts"))]


def only(arguments: JSON, *known: str) -> None:
    """Refuse an argument that the method does not have."""
    if arguments.keys() - set(known):
        raise Refused("invalid_arguments")


def decoded(value: Any, error: str) -> Any:
    """Structures come as JSON, or as JSON in a text when the body is a form."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise Refused(error) from None


def in_thread(place: Channel, thread_ts: str | None) -> JSON:
    if thread_ts is None:
        return {}
    root = place.message(thread_ts)
    if root is None or root.get("thread_ts", thread_ts) != thread_ts:
        raise Refused("thread_not_found")
    root["thread_ts"] = thread_ts
    return {"thread_ts": thread_ts, "parent_user_id": root["user"]}


def metadata(value: Any) -> JSON:
    """Kept in its full form only."""
    metadata = decoded(value, "invalid_metadata_format")
    if not isinstance(metadata, dict) or metadata.keys() != METADATA or not isinstance(metadata["event_payload"], dict):
        return {}
    return {"metadata": metadata}


def without_metadata(message: JSON) -> JSON:
    return {name: value for name, value in message.items() if name != "metadata"}


def page_of(messages: list[JSON], arguments: JSON) -> JSON:
    """The page of messages that is asked for, and how to ask for the next."""
    limit, start = int(arguments.get("limit") or 1000), _offset(arguments.get("cursor"))
    if not 1 <= limit <= 1000:
        raise Refused("invalid_limit")
    more = len(messages) > start + limit
    next_page = {"response_metadata": {"next_cursor": _cursor(start + limit)}} if more else {}
    return {"messages": messages[start : start + limit], "has_more": more} | next_page


def _cursor(offset: int) -> str:
    return base64.b64encode(f"next:{offset}".encode()).decode()


def _offset(cursor: str | None) -> int:
    try:
        return int(base64.b64decode(cursor or _cursor(0), validate=True).decode().removeprefix("next:"))
    except ValueError:
        raise Refused("invalid_cursor") from None
