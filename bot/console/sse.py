"""Server-sent events, as the browser's EventSource reads them. Pure."""

from __future__ import annotations

import json
import re

from bot.console.stream import Entry
from bot.errors import BadRequest

COMMENT = ":\n\n"
"""Shows a proxy that the connection lives; the page never sees it."""

BEGINNING = "0"
_ENTRY_ID = re.compile(r"\d{1,18}-\d{1,18}")


def frame(entry: Entry | None) -> str:
    """One event; for None the named event `caught-up`, after which everything is new."""
    if entry is None:
        return "event: caught-up\ndata: {}\n\n"
    return f"id: {entry.id}\ndata: {json.dumps(entry.event, ensure_ascii=False)}\n\n"


def first_id(last_event_id: str | None) -> str:
    """Where a page goes on that saw `last_event_id` last; the beginning for one that saw nothing.

    Raises:
        BadRequest: 400, it is no id of ours.
    """
    if not last_event_id:
        return BEGINNING
    if not _ENTRY_ID.fullmatch(last_event_id):
        raise BadRequest(400, "bad event id")
    return last_event_id
