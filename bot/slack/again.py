"""An answer that is shown, made ready to be replaced by another one."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.errors import DeliveryDeferred, DeliveryFailed, DeliveryUnknown
from bot.platform import Target
from bot.slack.place import delete
from bot.slack.previews import Note, Previews
from bot.slack.thread import SETTLE_S, Thread, mark_of

log = logging.getLogger(__name__)


def reopen(thread: Thread, previews: Previews, target: Target) -> None:
    """Note the answer to this message as what stands in the place of the next one; see `Replaces`.

    Of an answer in several messages the first one is replaced, and the others go.

    Raises:
        DeliveryDeferred
    """
    try:
        parts = {part: ts for ts, part in _parts(thread, target.message_id)}
        for part, ts in parts.items():
            if part > 1:
                delete(thread, ts)
    except DeliveryUnknown as error:
        raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
    except DeliveryFailed as error:  # the place is closed to us
        log.info("answer not replaced", extra={"platform": "slack", "reason": str(error)})
        return
    if 1 in parts:
        previews.note(target, replace(Note.about(target), ts=parts[1]))


def _parts(thread: Thread, message_id: str) -> list[tuple[str, int]]:
    """Every message of ours that is a part of an answer to this one: its `ts`, and which part it is."""
    marks = ((str(reply["ts"]), mark_of(reply) or {}) for reply in thread.replies())
    return [(ts, int(mark.get("part", 0))) for ts, mark in marks if mark.get("message_id") == message_id]
