"""The status line under a question: what is being done, as long as nothing else can be shown."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from bot.errors import DeliveryError
from bot.slack.thread import Thread

log = logging.getLogger(__name__)

AGAIN_AFTER_S = 75.0
"""Slack takes the line away after two minutes."""
CHANGED_AFTER_S = 3.0
MOST_TURNS, MAX_TURN_CHARS = 10, 50
"""What Slack takes of texts to show in turn, and how long each may be."""


class Status:
    """The status line of one answer."""

    def __init__(self, thread: Thread) -> None:
        self._thread = thread
        self._shown: tuple[str, ...] = ()
        self._shown_at = float("-inf")

    def show(self, notice: str, turns: Sequence[str] = ()) -> None:
        """Show the notice, and further texts in turn with it; what is shown already, only when it would end soon.

        Best effort: a failure is logged.
        """
        wanted, since_s = (notice, *turns), time.monotonic() - self._shown_at
        if since_s < (AGAIN_AFTER_S if wanted == self._shown else CHANGED_AFTER_S):
            return
        self._shown, self._shown_at = wanted, time.monotonic()
        in_turn = [cut(text) for text in wanted[:MOST_TURNS]] if turns else []
        try:
            self._thread.show_status(notice, in_turn)
        except DeliveryError as error:
            log.info("status not shown", extra={"platform": "slack", "reason": str(error)})

    def keep(self) -> None:
        """Have what is shown stay."""
        if self._shown:
            self.show(self._shown[0], self._shown[1:])

    def ended(self) -> None:
        """A message was shown: Slack has taken the line away, and nobody needs it any more."""
        self._shown = ()


def cut(text: str) -> str:
    """The text as long as one of those that are shown in turn may be."""
    return text if len(text) <= MAX_TURN_CHARS else text[: MAX_TURN_CHARS - 1] + "…"
