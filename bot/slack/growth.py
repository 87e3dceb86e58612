"""An answer as it grows: in a stream of Slack's, and by edits of one message where there is none.

What was appended to a stream stays until the stream is over and its message is replaced. It lives five minutes from its
start; ours is ended before that.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Literal

from bot.checkpoints import checkpoint
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, StoreUnavailable
from bot.platform import Target
from bot.slack.blocks import defused, message
from bot.slack.place import GONE, Place
from bot.slack.stopping import stop_button
from bot.slack.thread import Thread

log = logging.getLogger(__name__)

APPEND_EVERY_S = 0.7
EDIT_EVERY_S = 1.2
STREAM_S = 240.0
"""Of Slack's 300 seconds."""
STOPPED = "stopped_by_user"


class Growth:
    """One answer while it grows, up to the length of one message."""

    def __init__(self, place: Place, thread: Thread, target: Target, most_chars: int) -> None:
        """`place` and `thread` for what can be left out."""
        self.stopped = False
        """Whether somebody ended it with Slack's own button."""
        self._place = place
        self._thread = thread
        self._target = target
        self._most_chars = most_chars
        self._way: Literal["none yet", "stream", "edits", "over"] = "none yet"
        self._text = self._shown = ""
        self._stream = ""
        self._ends_at = self._next_at = 0.0

    def by_edits(self) -> None:
        """Let what stands there already grow, with no stream in its place."""
        if self._way == "none yet":
            self._edit_from_now_on()

    def grow(self, text_so_far: str) -> None:
        """Show this much of it, now or as soon as the pace allows."""
        if len(text_so_far) > self._most_chars:
            self._way = "over"  # the rest comes in further messages, and they come whole
            return
        self._text = defused(text_so_far)
        self.go_on()

    def go_on(self) -> None:
        """Show what is not shown yet, if the pace allows.

        Raises:
            LockLost
        """
        now = time.monotonic()
        if self._way == "over" or now < self._next_at or (self._text == self._shown and now < self._ends_at):
            return
        if not self._text:
            return
        try:
            self._advance(now)
        except (DeliveryError, StoreUnavailable) as error:
            self._falter(error, now)

    def rest_of(self, part: str) -> str:
        """What the stream lacks of the answer's first message; nothing where that does not begin as it does."""
        whole = defused(part)
        return whole[len(self._shown) :] if self._way == "stream" and whole.startswith(self._shown) else ""

    def _advance(self, now: float) -> None:
        if self._way == "none yet":
            self._start(now)
        elif self._way == "stream" and now < self._ends_at and self._text.startswith(self._shown):
            self._thread.append(self._stream, self._text[len(self._shown) :])
            self._next_at = now + APPEND_EVERY_S
        else:
            self._edit_from_now_on()
            self._next_at = now + EDIT_EVERY_S
            self._place.show(message(self._text, [], stop_button(self._target)))
        self._shown = self._text

    def _start(self, now: float) -> None:
        words: dict[str, Any] = {"type": "markdown_text", "text": self._text}
        button = {"type": "blocks", "blocks": [stop_button(self._target)]}
        try:
            self._stream = self._place.start(self._text, [button, words])
        except DeliveryFailed as error:
            if not str(error).startswith("invalid_"):
                raise
            self._stream = self._place.start(self._text, [words])  # a workspace that takes no button there
        self._way, self._ends_at, self._next_at = "stream", now + STREAM_S, now + APPEND_EVERY_S
        checkpoint("streaming")

    def _edit_from_now_on(self) -> None:
        self._way, self._ends_at = "edits", float("inf")

    def _falter(self, error: DeliveryError | StoreUnavailable, now: float) -> None:
        """Go on in another way, later, or not any more."""
        log.info("answer not shown as it grows", extra={"platform": "slack", "way": self._way, "reason": str(error)})
        self.stopped = self.stopped or str(error) == STOPPED
        self._next_at = now + EDIT_EVERY_S
        if self._way == "none yet" and isinstance(error, DeliveryDeferred | DeliveryFailed):
            self._edit_from_now_on()  # no stream here, or too many of them
        elif isinstance(error, DeliveryDeferred):
            self._next_at = now + max(error.retry_after_s or 0.0, EDIT_EVERY_S)
        elif self._way == "stream" and str(error) not in (STOPPED, GONE):
            self._edit_from_now_on()  # it ended, or what it shows is not known
        else:
            self._way = "over"
