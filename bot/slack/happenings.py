"""What happens in a workspace besides what is said: events of Slack's as events of ours. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.messages import Control, JSONObject
from bot.slack.openings import parse_messages_tab, parse_thread_started

Happened = tuple[Control, str]
"""What happened, and an id that every further delivery of it has too."""
Parser = Callable[[JSONObject], Happened | None]
"""One kind of event: envelope in; None when it is nothing to us, or of no shape that Slack sends for it."""

EVENTS: Mapping[str, tuple[Parser, ...]] = {
    "assistant_thread_started": (parse_thread_started,),
    "app_home_opened": (parse_messages_tab,),
}
"""By the event's type who reads it; the first one to whom it is something."""


def parse_happening(envelope: JSONObject) -> Happened | None:
    """What happened; None when it is nothing to us, or of no shape that Slack sends."""
    event = envelope.get("event")
    kind = event.get("type") if isinstance(event, dict) else None
    parsers = EVENTS.get(kind, ()) if isinstance(kind, str) else ()
    return next((happened for parse in parsers if (happened := parse(envelope))), None)
