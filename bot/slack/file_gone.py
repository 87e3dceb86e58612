"""A file is deleted on Slack: what was read of it goes. Pure."""

from __future__ import annotations

import time

from bot.messages import Command, JSONObject
from bot.slack.shapes import id_of, part, team_of

FILE_GONE = "file_gone"


def parse_file_deleted(envelope: JSONObject) -> tuple[Command, str] | None:
    """The order to let go of a file, wherever in the workspace it was shown: Slack names the file alone."""
    team, event_id = team_of(envelope), id_of(envelope.get("event_id"))
    file_id = id_of(part(envelope, "event").get("file_id"))
    if not team or not event_id or not file_id:
        return None
    return Command("slack", f"slack:{team}", "slack:", FILE_GONE, file_id, "", time.time(), {}), f"slack:{event_id}"
