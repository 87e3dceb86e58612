"""The place of one answer in its thread: what stands there until the answer does, and is never left beside it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown, LockLost
from bot.platform import Journal, Target
from bot.slack.previews import Note, Previews, begins_so, opening_of
from bot.slack.thread import SETTLE_S, Mark, Thread, mark_of

log = logging.getLogger(__name__)

GONE = "message_not_found"


class Place:
    """Where one answer will stand."""

    def __init__(self, previews: Previews, thread: Thread, target: Target, journal: Journal) -> None:
        self._previews = previews
        self._thread = thread
        self._target = target
        self._journal = journal
        self._mark = mark_of_preview(target.message_id)

    def show(self, content: Mapping[str, Any]) -> None:
        """Post it, or have what stands there already say this; what grew there ends.

        Raises:
            DeliveryError, StoreUnavailable: it is not shown, or may be.
            LockLost
        """
        if ts := self.settle():
            self._thread.replace(ts, content, self._mark)
            return
        self._journal.check()  # nothing is noted either by who may not answer any more
        before = self._note(self._previews.of(self._target) or Note.about(self._target), ts="")
        try:
            ts = self._thread.post(content, self._mark)
        except (DeliveryDeferred, DeliveryFailed):
            self._note(before, ts=None)
            raise
        self._is_known(before, ts=ts)

    def start(self, opening: str, chunks: Sequence[Mapping[str, Any]]) -> str:
        """Begin a message that grows, in the place of the preview; its `ts`.

        Raises:
            DeliveryError, StoreUnavailable: it has not begun, or may have.
            LockLost
        """
        self._journal.check()
        before = self._previews.of(self._target) or Note.about(self._target)
        begun = self._note(before, stream="", opening=opening_of(opening))
        try:
            ts = self._thread.start_stream(chunks)
        except (DeliveryDeferred, DeliveryFailed):
            self._note(begun, stream=None)
            raise
        known = self._is_known(begun, stream=ts)
        with suppress(DeliveryError):  # it goes when the answer comes, at the latest
            self._take_preview(known)
        return ts

    def settle(self, rest: str = "") -> str:
        """The `ts` of the one message there that can be replaced; empty when there is none.

        Args:
            rest: the last words of a message that grows.

        Raises:
            DeliveryDeferred: it cannot be found out now.
            DeliveryFailed: the place is closed to us.
        """
        note = self._previews.of(self._target)
        if note is None:
            return ""
        stream = note.stream if note.stream != "" else self._found_stream(note)
        if stream and self._is_ended(stream, rest):
            note = self._take_preview(replace(note, stream=stream))
            self._note(note, ts=stream, stream=None)
            return stream
        if note.ts == "" and (found := self._thread.find(self._mark)):
            note = self._note(note, ts=found[-1])
        return note.ts or ""

    def over(self) -> None:
        """The answer stands there. What may still come beside it keeps its note (see `Previews.left`)."""
        note = self._previews.of(self._target)
        if note and note.is_settled:
            self._previews.drop(self._target.conversation_id, self._target.message_id)

    def take_others(self) -> None:
        """Take away what stands there for a message that is answered with this one now.

        Raises:
            DeliveryError
        """
        for message_id, note in self._previews.in_conversation(self._target.conversation_id).items():
            if message_id != self._target.message_id:
                clear(self._thread.elsewhere(note.where), message_id, note)
                self._previews.drop(self._target.conversation_id, message_id)

    def _note(self, before: Note, **changed: Any) -> Note:
        note = replace(before, at=time.time(), **changed)
        self._previews.note(self._target, note)
        return note

    def _is_known(self, before: Note, **posted: str) -> Note:
        try:
            self._journal.check()
        except LockLost:
            self._take_unknown(*posted.values())
            raise
        return self._note(before, **posted)

    def _take_unknown(self, ts: str) -> None:
        """Delete the post unless the note leads another worker to it.

        Without a note the question was erased while the post was on its way, or answered by somebody who put the answer
        in its place: then it has another mark.
        """
        noted = self._previews.of(self._target)
        if noted and (not noted.is_settled or ts in (noted.ts, noted.stream)):
            return
        thread = self._thread.unchecked()
        try:
            if any(reply["ts"] == ts and mark_of(reply) in (None, self._mark) for reply in thread.replies()):
                delete(thread, ts)
        except DeliveryError as error:
            log.warning("preview not taken away", extra={"platform": "slack", "reason": str(error)})

    def _take_preview(self, note: Note) -> Note:
        """Delete the preview beside a message that grows, or grew."""
        found = self._thread.find(self._mark) if note.ts == "" else [note.ts] if note.ts else []
        for ts in found:
            if ts != note.stream:
                delete(self._thread, ts)
        return self._note(note, ts=None) if note.ts is not None else note

    def _found_stream(self, note: Note) -> str:
        """A message that began to grow and whose `ts` nobody noted; empty when there is none.

        Raises:
            DeliveryDeferred: it may be on its way still.
        """
        found = [str(reply["ts"]) for reply in self._thread.replies() if is_unmarked_stream(reply, note)]
        if not found and time.time() - note.at < SETTLE_S:
            raise DeliveryDeferred("outcome unknown", SETTLE_S)
        return found[-1] if found else ""

    def _is_ended(self, ts: str, rest: str) -> bool:
        """End the growth of the message; False when somebody has deleted it.

        That it does not grow any more is refused as well, and nothing else need be told apart: what grows still cannot
        be replaced.

        Raises:
            DeliveryDeferred
        """
        try:
            self._thread.stop_stream(ts, self._mark, rest)
        except DeliveryUnknown as error:
            raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
        except DeliveryFailed as error:
            return str(error) != GONE
        return True


def clear(thread: Thread, message_id: str, note: Note) -> None:
    """Delete what stands in the place of an answer and is none.

    Raises:
        DeliveryDeferred: not all of it is done.
    """
    mark = mark_of_preview(message_id)
    try:
        for reply in list(thread.replies()):
            if mark_of(reply) == mark or _is_unmarked(reply, note) or is_unmarked_stream(reply, note):
                delete(thread, str(reply["ts"]))
    except DeliveryUnknown as error:
        raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
    except DeliveryFailed as error:  # the place is closed to us
        log.info("preview not taken away", extra={"platform": "slack", "reason": str(error)})


def delete(thread: Thread, ts: str) -> None:
    """Take a message away, also one that grows; who cannot be taken away, or is gone, is left.

    Raises:
        DeliveryDeferred, DeliveryUnknown
    """
    try:
        thread.delete(ts)
    except DeliveryFailed as error:
        if str(error) == GONE:
            return
        with suppress(DeliveryFailed):
            thread.stop_stream(ts, {})  # what grows cannot be deleted
        with suppress(DeliveryFailed):
            thread.delete(ts)


def is_unmarked_stream(reply: Mapping[str, Any], note: Note) -> bool:
    """Whether it is the message that was to grow there, of which nobody noted where it is; it has no mark yet.

    Slack tells of such a message alone whether it grows (`streaming_state`); which of them it is, its first words tell.
    """
    if note.stream != "" or not reply.get("bot_id") or mark_of(reply) is not None:
        return False
    return "streaming_state" in reply and begins_so(str(reply.get("text") or ""), note.opening)


def mark_of_preview(message_id: str) -> Mark:
    """Part 0: the answer's own parts begin with 1."""
    return {"message_id": message_id, "part": 0}


def _is_unmarked(reply: Mapping[str, Any], note: Note) -> bool:
    return mark_of(reply) is None and reply.get("ts") in (note.ts, note.stream)
