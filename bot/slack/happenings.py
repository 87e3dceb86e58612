"""What happens in a workspace besides what is said: events of Slack's as events of ours. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.messages import Control, JSONObject
from bot.slack.departures import parse_channel_gone, parse_revoked, parse_uninstalled
from bot.slack.file_gone import parse_file_deleted
from bot.slack.home import parse_home_tab
from bot.slack.openings import parse_messages_tab, parse_thread_started
from bot.slack.stopping import parse_session_stopped

Happened = tuple[Control, str]
"""What happened, and an id that every further delivery of it has too."""
Parser = Callable[[JSONObject], Happened | None]
"""One kind of event: envelope in; None when it is nothing to us, or of no shape that Slack sends for it."""

EVENTS: Mapping[str, tuple[Parser, ...]] = {
    "assistant_thread_started": (parse_thread_started,),
    "app_home_opened": (parse_messages_tab, parse_home_tab),
    "agent_session_stopped": (parse_session_stopped,),
    "app_uninstalled": (parse_uninstalled,),
    "tokens_revoked": (parse_revoked,),
    "channel_left": (parse_channel_gone,),
    "group_left": (parse_channel_gone,),
    "channel_deleted": (parse_channel_gone,),
    "group_deleted": (parse_channel_gone,),
    "file_deleted": (parse_file_deleted,),
}
"""By the event's type who reads it; the first one to whom it is something."""


def parse_happening(envelope: JSONObject) -> Happened | None:
    """What happened; None when it is nothing to us, or of no shape that Slack sends."""
    event = envelope.get("event")
    kind = event.get("type") if isinstance(event, dict) else None
    parsers = EVENTS.get(kind, ()) if isinstance(kind, str) else ()
    return next((happened for parse in parsers if (happened := parse(envelope))), None)
